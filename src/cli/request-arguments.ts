/**
 * The arguments and flags of one request, for the commands that send one.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { DEFAULT_PLUGIN_LIMITS } from "../contract/limits.ts";
import { HEADER, METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";
import { readPayload } from "./call-payload.ts";
import { parseDurationMs } from "./duration.ts";
import { badSetting } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** A request as the command line describes it. */
export interface WrittenRequest {
  /** Empty for none. */
  readonly method: string;
  readonly payload: Uint8Array;
  readonly id: string;
  /** The time that the plugin gets. */
  readonly timeoutMs: number;
  /** Further headers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The flags of {@link addRequestArguments}. */
export interface RequestFlags {
  readonly timeout: string;
  readonly id?: string;
  readonly header: readonly string[];
}

/** The flags of {@link addReplyOptions}. */
export interface ReplyFlags {
  readonly json?: true;
  readonly fail?: true;
}

/** The help's text on payloads and output. */
export const REQUEST_HELP = `The payload is sent as it is written; @file sends a file's content, - sends standard input, @@text sends @text.
The body of the reply goes to standard output, byte for byte unless that is a terminal; the plugin's status,
errors and times go to standard error.`;

/** Adds the method, the payload, and the flags of the request. */
export function addRequestArguments(command: Command): Command {
  return command
    .argument("[method]", "the method, if the plugin has several", "")
    .argument("[payload]", "text, @file or - for standard input", "")
    .option("--timeout <time>", "how long the plugin may take: 500ms, 5s", `${DEFAULT_PLUGIN_LIMITS.deadlineMs}ms`)
    .option("--id <id>", "the request's id (default: a random UUID)")
    .option("--header <name=value>", "an additional header; may be repeated", collect, []);
}

/** Adds the flags that say how the reply is shown, for commands that end with it. */
export function addReplyOptions(command: Command): Command {
  return command
    .option("--json", "print the result as one JSON object on standard output")
    .option("--fail", "exit with 1 when the plugin's status is 400 or more");
}

/** Reads the request. Throws `usage-invalid` and `payload-too-large`. */
export async function readRequest(
  method: string,
  payload: string,
  flags: RequestFlags,
  { stdin }: Pick<Terminal, "stdin">,
): Promise<WrittenRequest> {
  return {
    method: parseMethod(method),
    id: parseId(flags.id),
    timeoutMs: parseDurationMs("--timeout", flags.timeout),
    headers: flags.header.map(parseHeader),
    payload: await readPayload(payload, stdin),
  };
}

/** Appends the value of a flag that may be repeated. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function parseMethod(text: string): string {
  if (Buffer.byteLength(text) <= METHOD_MAX_BYTES && !/[\r\n]/.test(text)) return text;
  throw new HostError("usage-invalid", `[method]: write one line of at most ${METHOD_MAX_BYTES} bytes`);
}

function parseId(text: string | undefined): string {
  if (text === undefined) return randomUUID();
  if (/^[\x21-\x7e]+$/.test(text) && text.length <= REQUEST_ID_MAX_BYTES) return text;
  throw new HostError("usage-invalid", `--id: write 1 to ${REQUEST_ID_MAX_BYTES} visible ASCII characters`);
}

/** The headers that flags and arguments stand for. */
const OWN_HEADERS: Readonly<Record<string, string>> = {
  [HEADER.id.toLowerCase()]: "--id",
  [HEADER.timeoutMs.toLowerCase()]: "--timeout",
  [HEADER.method.toLowerCase()]: "the [method] argument",
};

/** `name=value`; a name is a token of RFC 9110, section 5.6.2. */
function parseHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([^\r\n]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw badSetting({ text, source: "--header" }, "write name=value, for example traceparent=00-…");
  }
  const own = OWN_HEADERS[name.toLowerCase()];
  if (own !== undefined) throw new HostError("usage-invalid", `--header ${name}: use ${own} instead`);
  return [name, value];
}
