/**
 * Writes the log's record of a request (one for each, whatever its outcome) and of each line that a plugin writes. A
 * plugin's text and a caller's id and method are made printable first: one record each, no control sequences, bounded
 * length.
 *
 * The record of a successful request bypasses the logger: there is one for every request, and nearly all of it is the
 * same each time. The line equals, byte for byte, what the logger would write. Only a record that needs no escaping and
 * can contain no credential takes this path.
 *
 * @module
 */

import type { DestinationStream, Logger } from "pino";
import { shortDigest } from "../contract/digest.ts";
import type { Digest, PluginName } from "../contract/names.ts";
import type { LogLevel, Outcome } from "../contract/request.ts";
import { type ErrorCode, errorRow, type Fault } from "../errors/table.ts";
import type { DropReason } from "./plugin-stats.ts";
import { printableLine } from "./plugin-text.ts";
import { scrubSecrets } from "./redaction.ts";
import { MICROS_PER_MS } from "../contract/time-units.ts";

/** How a request was answered: with the plugin's status, or with an error of the table. */
export type LoggedOutcome =
  | { readonly kind: "ok"; readonly status: number }
  /** `detail` is for the log only: a trap's message, or what a dependency said. */
  | { readonly kind: "error"; readonly code: ErrorCode; readonly detail?: string | undefined }
  /** It was not: the reply, with this code or (`undefined`) the plugin's own, was given up. */
  | { readonly kind: "dropped"; readonly reason: DropReason; readonly code: ErrorCode | undefined };

/** How a request was answered. `code` is the reply's code, `undefined` for the plugin's own reply. */
export function loggedOutcome(outcome: Outcome, code: ErrorCode | undefined): LoggedOutcome {
  if (code === undefined && outcome.kind === "ok") return { kind: "ok", status: outcome.response.status };
  return { kind: "error", code: code ?? "internal", detail: outcome.kind === "ok" ? undefined : outcome.message };
}

/** Times of a request, in milliseconds. */
export interface RequestTimes {
  /** From the arrival until the plugin's process got it; includes the start of a cold plugin's process. */
  readonly queueMs: number;
  /** In the plugin's process, store operations included. */
  readonly runMs: number;
  /** Sum over the request's store operations. */
  readonly storeMs: number;
}

/** One request, when its reply has been sent. */
export interface RequestLogLine {
  readonly method: string;
  readonly id: string;
  readonly outcome: LoggedOutcome;
  readonly times: RequestTimes;
  /** From `traceparent`, if there was one. */
  readonly traceId?: string | undefined;
  /** Bytes of the plugin's log lines and output that were dropped because of the limit. */
  readonly droppedLogBytes?: number;
}

/** Where a plugin wrote a line: through the contract's `logging`, or to its output; `host`: the host wrote it. */
export type PluginLineSource = "log" | "stdout" | "stderr" | "host";

/** One line that a plugin wrote during a request. */
export interface PluginLogLine {
  readonly plugin: PluginName;
  readonly id: string;
  readonly source: PluginLineSource;
  readonly level: LogLevel;
  readonly text: string;
}

/** Longest line of a plugin in one record. */
const MAX_LINE_CHARS = 8_192;
/** Longest id or method in a record. */
const MAX_NAME_CHARS = 255;
const REQUEST_MESSAGE = "request";

const FAULT_LEVELS = {
  caller: "warn",
  plugin: "warn",
  operator: "warn",
  dependency: "error",
  bug: "error",
} as const satisfies Record<Fault, string>;

export interface RequestLogger {
  readonly logger: Logger;
  readonly plain: PlainRecords | undefined;
}

/** A logger for the requests of one version of a plugin; `digest` is `undefined` where no version took them. */
export function requestLogger(parent: Logger, plugin: PluginName, digest: Digest | undefined): RequestLogger {
  const logger = parent.child({ plugin, ...(digest !== undefined && { digest: shortDigest(digest) }) });
  return { logger, plain: PlainRecords.of(parent, logger, REQUEST_MESSAGE) };
}

/**
 * Writes a request's record: at info if the request succeeded, at error if the host or a dependency failed, otherwise
 * at warn.
 */
export function logRequest({ logger, plain }: RequestLogger, line: RequestLogLine): void {
  if (plain !== undefined && writePlain(plain, line)) return;
  const level = requestLevel(line.outcome);
  if (!logger.isLevelEnabled(level)) return;
  const { outcome, times, traceId, droppedLogBytes = 0 } = line;
  const record: Record<string, unknown> = {
    method: printableLine(line.method, MAX_NAME_CHARS),
    id: printableLine(line.id, MAX_NAME_CHARS),
  };
  if (outcome.kind === "ok") record["status"] = outcome.status;
  else if (outcome.kind === "dropped") {
    record["dropped"] = outcome.reason;
    if (outcome.code !== undefined) record["error"] = outcome.code;
  } else {
    record["error"] = outcome.code;
    if (outcome.detail !== undefined) record["detail"] = printableLine(outcome.detail, MAX_LINE_CHARS);
  }
  record["queueMs"] = roundMs(times.queueMs);
  record["runMs"] = roundMs(times.runMs);
  record["storeMs"] = roundMs(times.storeMs);
  if (traceId !== undefined) record["traceId"] = traceId;
  if (droppedLogBytes > 0) record["droppedLogBytes"] = droppedLogBytes;
  logger[level](record, REQUEST_MESSAGE);
}

/** False where the record does not fit the plain form. */
function writePlain(plain: PlainRecords, line: RequestLogLine): boolean {
  const { method, id, outcome, times, traceId, droppedLogBytes = 0 } = line;
  if (outcome.kind !== "ok" || droppedLogBytes > 0) return false;
  if (method.length > MAX_NAME_CHARS || id.length > MAX_NAME_CHARS) return false;
  return plain.write(method, id, outcome.status, times, traceId);
}

function requestLevel(outcome: LoggedOutcome): "info" | "warn" | "error" {
  if (outcome.kind === "dropped") return "warn";
  return outcome.kind === "ok" ? "info" : FAULT_LEVELS[errorRow(outcome.code).fault];
}

const PLUGIN_LEVELS = { info: "info", warning: "warn", error: "error" } as const satisfies Record<LogLevel, string>;

/** Writes what a plugin logged or printed, as one record. */
export function logPluginLine(logger: Logger, line: PluginLogLine): void {
  const level = PLUGIN_LEVELS[line.level];
  if (!logger.isLevelEnabled(level)) return;
  logger[level](
    { plugin: line.plugin, id: printableLine(line.id, MAX_NAME_CHARS), source: line.source },
    printableLine(line.text, MAX_LINE_CHARS),
  );
}

/** A record's message on a terminal: a request in short form, or a plugin's line after its name. */
export function prettyMessage(log: Record<string, unknown>, messageKey: string): string {
  const { plugin, method, status, error, dropped, source } = log;
  const message = textOf(log[messageKey]);
  if (message === REQUEST_MESSAGE && "runMs" in log) {
    return `${[textOf(plugin), textOf(method)].filter(Boolean).join(".")} → ${textOf(dropped ?? status ?? error)}`;
  }
  return source === undefined ? message : `${textOf(plugin)} │ ${message}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** No quote, no backslash, nothing beyond ASCII, and nothing that a URL's credentials or a parameter need. */
const PLAIN = /^[\w.:-]*$/;

/** Where loggers write their lines to. */
const outputs = new WeakMap<Logger, DestinationStream>();

/** From now on, the records of successful requests bypass the logger and go straight to its output. */
export function registerOutput(logger: Logger, output: DestinationStream): void {
  outputs.set(logger, output);
}

/** Writes the records of successful requests. */
class PlainRecords {
  readonly #output: DestinationStream;
  readonly #isEnabled: boolean;
  /** The part after the time that is the same in every record. */
  readonly #same: string;
  readonly #end: string;
  /** The beginning of the last record; valid for the same millisecond and method. */
  #head = "";
  #headTime = "";
  #headMethod = "";

  private constructor(logger: Logger, output: DestinationStream, message: string) {
    this.#output = output;
    this.#isEnabled = logger.isLevelEnabled("info");
    this.#same = scrubSecrets(JSON.stringify(logger.bindings()).slice(1, -1));
    this.#end = `,"msg":"${message}"}\n`;
  }

  /** For `logger`, a child of `parent`; `undefined` where the output of `parent` is not registered. */
  static of(parent: Logger, logger: Logger, message: string): PlainRecords | undefined {
    const output = outputs.get(parent);
    return output === undefined ? undefined : new PlainRecords(logger, output, message);
  }

  /** Writes the record, if the level info is on. False where its texts are not plain. */
  write(method: string, id: string, status: number, times: RequestTimes, traceId: string | undefined): boolean {
    if (!PLAIN.test(id) || (traceId !== undefined && !PLAIN.test(traceId))) return false;
    const time = timeField();
    if (time !== this.#headTime || method !== this.#headMethod) {
      if (!PLAIN.test(method)) return false;
      this.#head = `{"level":"info"${time},${this.#same},"method":"${method}","id":"`;
      this.#headTime = time;
      this.#headMethod = method;
    }
    if (!this.#isEnabled) return true;
    const queue = `","status":${status},"queueMs":${millisecondsText(times.queueMs)}`;
    const run = `,"runMs":${millisecondsText(times.runMs)},"storeMs":${millisecondsText(times.storeMs)}`;
    const trace = traceId === undefined ? "" : `,"traceId":"${traceId}"`;
    this.#output.write(`${this.#head}${id}${queue}${run}${trace}${this.#end}`);
    return true;
  }
}

/** These clocks are accurate to microseconds at best. */
function roundMs(ms: number): number {
  return Math.round(ms * MICROS_PER_MS) / MICROS_PER_MS;
}

/** The fractions as a number's text shows them, `.001` to `.999`; empty for 0. */
const FRACTIONS: readonly string[] = Array.from({ length: MICROS_PER_MS }, (_, micros) =>
  String(micros / MICROS_PER_MS).slice(1),
);

/** The text of {@link roundMs}, made from two integers: many times faster than formatting a fraction. */
function millisecondsText(ms: number): string {
  const micros = Math.round(ms * MICROS_PER_MS);
  if (!(micros >= 0 && micros <= MAX_MICROS)) return String(roundMs(ms));
  const whole = Math.trunc(micros / MICROS_PER_MS);
  return `${whole}${FRACTIONS[micros - whole * MICROS_PER_MS]}`;
}

/** Longer times are rare, and are formatted the slow way. */
const MAX_MICROS = 2 ** 31 - 1;

let lastMs = 0;
let lastTime = "";

/** The time's field, with the comma before it. Many records share a millisecond, so its text is made only once. */
export function timeField(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = `,"time":"${new Date(ms).toISOString()}"`;
  }
  return lastTime;
}
