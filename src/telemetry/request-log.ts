/**
 * The log's record of a request (one for each, whatever came of it) and of what a plugin writes itself.
 * A plugin's text and a caller's id and method are made printable first: one record each, no control
 * sequences, a bounded length.
 *
 * @module
 */

import type { Logger } from "pino";
import { shortDigest } from "../contract/digest.ts";
import type { Digest, PluginName } from "../contract/names.ts";
import type { LogLevel, Outcome } from "../contract/request.ts";
import { type ErrorCode, errorRow, type Fault } from "../errors/table.ts";
import { PlainRecords, type RequestTimes, roundMs } from "./plain-record.ts";
import type { DropReason } from "./plugin-stats.ts";
import { printableLine } from "./plugin-text.ts";

/** How a request was answered: with the plugin's status, or with an error of the table. */
export type LoggedOutcome =
  | { readonly kind: "ok"; readonly status: number }
  /** `detail` is for the log only: a trap's message, or what a dependency said. */
  | { readonly kind: "error"; readonly code: ErrorCode; readonly detail?: string | undefined }
  /** Not at all: the reply, which had this code or was the plugin's own, was given up. */
  | { readonly kind: "dropped"; readonly reason: DropReason; readonly code: ErrorCode | undefined };

/** How a request was answered whose reply had this code, or was the plugin's own where that is `undefined`. */
export function loggedOutcome(outcome: Outcome, code: ErrorCode | undefined): LoggedOutcome {
  if (code === undefined && outcome.kind === "ok") return { kind: "ok", status: outcome.response.status };
  return { kind: "error", code: code ?? "internal", detail: outcome.kind === "ok" ? undefined : outcome.message };
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

/** Where a plugin wrote a line: through the contract's `logging`, or to its output; `host`: the host said it. */
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

/** Writes the records of one plugin's requests. */
export interface RequestLogger {
  readonly logger: Logger;
  readonly plain: PlainRecords | undefined;
}

/** A logger for the requests of one version of a plugin; no digest where no version took them. */
export function requestLogger(parent: Logger, plugin: PluginName, digest: Digest | undefined): RequestLogger {
  const logger = parent.child({ plugin, ...(digest !== undefined && { digest: shortDigest(digest) }) });
  return { logger, plain: PlainRecords.of(parent, logger, REQUEST_MESSAGE) };
}

/**
 * Writes a request's record to a {@link requestLogger}: info when it went well, error when the host or a dependency
 * failed, else warn.
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

/** False where the record has more in it than a plain one. */
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

/** What a terminal shows as a record's message: a request in short, a plugin's line behind its name. */
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
