/**
 * What a command and a replica say to each other over a control socket (docs/adr/0032-control-socket.md): one request and
 * one answer on each connection, each of them one line of JSON. The command and the replica may be of different versions
 * of network-host, so each line names its version of this protocol.
 *
 * Within a version, fields are only added. Pure.
 *
 * @module
 */

import { type ErrorCode, isErrorCode } from "../errors/table.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { scrubSecrets } from "../telemetry/redaction.ts";
import type { ReloadReport, ReplicaIdentity, StatusReport } from "./report.ts";

/** The version of this protocol. It changes with every change but an added field. */
export const CONTROL_VERSION = 1;

/** A request has about fifty bytes. */
export const MAX_REQUEST_BYTES = 4 * 1024;
/** A status of 16,384 plugins has about 12 MB. */
export const MAX_ANSWER_BYTES: number = 64 * 1024 * 1024;
/** The longest time limit that a request may set: that of the longest compilation. */
export const MAX_TIMEOUT_MS = 600_000;

/** The type of the answer to each verb. */
export interface ControlAnswers {
  readonly identify: ReplicaIdentity;
  readonly status: StatusReport;
  readonly reload: ReloadReport;
}

export type ControlVerb = keyof ControlAnswers;

const VERBS: ReadonlySet<unknown> = new Set<ControlVerb>(["identify", "status", "reload"]);

/** What a command asks of a replica. */
export interface ControlRequest {
  readonly verb: ControlVerb;
  /** How long the replica may take to answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** The request as a line. */
export function encodeRequest({ verb, timeoutMs }: ControlRequest): string {
  return `${JSON.stringify({ version: CONTROL_VERSION, verb, timeoutMs })}\n`;
}

/** Throws `usage-invalid`, with a text for the user who typed the command. */
export function parseRequest(line: string): ControlRequest {
  const request = parseObject(line);
  if (request === undefined) throw new HostError("usage-invalid", "the request is not a JSON object");
  const { version, verb, timeoutMs } = request;
  if (version !== CONTROL_VERSION) {
    throw new HostError(
      "usage-invalid",
      `the replica takes version ${CONTROL_VERSION} of the control protocol, not ${JSON.stringify(version)}: use the command of the replica's version of network-host`,
    );
  }
  if (!isVerb(verb)) throw new HostError("usage-invalid", "the replica does not know this request");
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS))
    throw new HostError("usage-invalid", `timeoutMs is a number from 1 to ${MAX_TIMEOUT_MS}`);
  return { verb, timeoutMs };
}

/** The answer as a line, without the credentials that a text may quote. */
export function encodeAnswer(answer: ControlAnswers[ControlVerb]): string {
  return `${JSON.stringify({ version: CONTROL_VERSION, answer }, scrubbed)}\n`;
}

/** An error as a line: its code and its message, without the credentials that the message may quote. */
export function encodeError(thrown: unknown): string {
  const { code, message } = toHostError(thrown);
  return `${JSON.stringify({ version: CONTROL_VERSION, error: { code, message } }, scrubbed)}\n`;
}

/**
 * The answer to that verb which the line holds. Throws the error that the replica gave, and `bad-reply` for anything but an
 * answer of this version.
 */
export function parseAnswer<Verb extends ControlVerb>(_verb: Verb, line: string): ControlAnswers[Verb] {
  const reply = parseObject(line);
  if (reply === undefined) throw new HostError("bad-reply", "what answers on the control socket is not a replica");
  const { version, error, answer } = reply;
  if (isRecord(error) && typeof error["message"] === "string")
    throw new HostError(knownCode(error["code"]), error["message"]);
  if (version !== CONTROL_VERSION || !isRecord(answer)) {
    throw new HostError(
      "bad-reply",
      `the replica does not answer in version ${CONTROL_VERSION} of the control protocol: use the command of its version of network-host`,
    );
  }
  // The replica runs this program, as this user: the version says what the answer holds.
  return answer as unknown as ControlAnswers[Verb];
}

/** A newer replica may send a code that this version does not know: `bad-reply` replaces it. */
function knownCode(code: unknown): ErrorCode {
  return typeof code === "string" && isErrorCode(code) ? code : "bad-reply";
}

function isVerb(value: unknown): value is ControlVerb {
  return VERBS.has(value);
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function scrubbed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? scrubSecrets(value) : value;
}
