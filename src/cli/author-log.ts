/**
 * The log as the author of one plugin wants to see it: what the plugin says, the outcome of each request, and what went
 * wrong, a short line each. A replica's own form repeats on every line what is the same here: the plugin and its digest.
 *
 * @module
 */

import type { LogOptions } from "../app-options.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { type OutputStream, type Style, styled } from "./terminal.ts";

/** How the log is shown. */
export interface AuthorLogOptions extends Pick<LogOptions, "level" | "format"> {
  readonly stream: OutputStream;
  /** Is asked of each request's record; true where its outcome is shown in another way. */
  readonly takes?: (record: LogRecord) => boolean;
}

/** A record of the log, as JSON has it. Its values come from this program; the plugin's texts in it are printable. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** A logger that writes such lines, or a replica's JSON where that was asked for. */
export function createAuthorLogger(options: AuthorLogOptions): Logger {
  const write = createAuthorSink(options);
  return createLogger({
    level: options.level,
    pretty: false,
    base: { replica: "local", group: "local" },
    destination: { write },
  });
}

/** Takes the lines of a log in JSON, and writes the author's form. */
export function createAuthorSink({ level, format, stream, takes }: AuthorLogOptions): (line: string) => void {
  return (line) => {
    const record = JSON.parse(line) as LogRecord;
    const isTaken = isRequest(record) && takes?.(record) === true;
    if (format === "json") stream.write(line);
    else if (!isTaken && (level === "debug" || isOfPlugin(record))) stream.write(formatRecord(record, stream));
  };
}

/** Not what a replica says of itself while nothing is wrong. */
function isOfPlugin(record: LogRecord): boolean {
  const { level, source } = record;
  return source !== undefined || isRequest(record) || level === "warn" || level === "error";
}

const STYLE_OF: Readonly<Record<string, Style>> = { warn: "warning", error: "bad", debug: "quiet" };

function isRequest({ msg, runMs }: LogRecord): boolean {
  return msg === "request" && runMs !== undefined;
}

/** The lines of a record. */
export function formatRecord(record: LogRecord, stream: OutputStream): string {
  const { level, msg, source } = record;
  if (isRequest(record)) return requestLines(record, stream);
  const style = STYLE_OF[textOf(level)];
  const paint = (text: string): string => (style === undefined ? text : styled(stream, style, text));
  if (source !== undefined) return line(record, `${sourceOf(record, stream)}${paint(textOf(msg))}`, stream);
  const took = typeof record["ms"] === "number" ? styled(stream, "quiet", ` in ${durationText(record["ms"])}`) : "";
  return line(record, `${paint(textOf(msg))}${took}`, stream) + detailLines(record, stream);
}

/** Says where the plugin wrote it, unless by the contract's logging. */
function sourceOf({ source, level }: LogRecord, stream: OutputStream): string {
  const where = source === "log" ? LOG_MARKS[textOf(level)] : `${textOf(source)}:`;
  return `${styled(stream, "quiet", "│")} ${where === undefined ? "" : `${styled(stream, "quiet", where)} `}`;
}

/** A level that colour alone would show. */
const LOG_MARKS: Readonly<Record<string, string>> = { warn: "warning:", error: "error:" };

function requestLines(record: LogRecord, stream: OutputStream): string {
  const { status, error, dropped } = record;
  const outcome = textOf(dropped ?? error ?? status);
  const isGood = error === undefined && dropped === undefined && Number(status) < 400;
  const method = textOf(record["method"]) || "(no method)";
  const store = Number(record["storeMs"]) > 0 ? `, ${durationText(Number(record["storeMs"]))} of it in the store` : "";
  const times = styled(stream, "quiet", ` in ${durationText(Number(record["runMs"]))}${store}`);
  const shown = styled(stream, isGood ? "good" : error === undefined ? "warning" : "bad", outcome);
  return line(record, `${method} → ${shown}${times}`, stream) + detailLines(record, stream);
}

/** What else a record says of something that went wrong, indented. */
function detailLines({ detail, err, reason, stderr }: LogRecord, stream: OutputStream): string {
  const message = (err as { message?: unknown } | undefined)?.message;
  const causes = (err as { causes?: readonly unknown[] } | undefined)?.causes ?? [];
  const texts = [message, ...causes, detail, reason, stderr].map(textOf).filter((text) => text !== "");
  const lines = texts.flatMap((text) => printableText(withLineFeeds(text)).split("\n"));
  return lines.map((text) => `         ${styled(stream, "quiet", text)}\n`).join("");
}

/** What a record says of a failure besides its code, in its lines. */
export function detailOf({ detail }: LogRecord): string | undefined {
  return typeof detail === "string" ? withLineFeeds(detail) : undefined;
}

/** A record holds a text of several lines as one; a trace is easier to read as what it was. */
function withLineFeeds(text: string): string {
  return text.replaceAll(String.raw`\n`, "\n");
}

function line(record: LogRecord, text: string, stream: OutputStream): string {
  return `${styled(stream, "quiet", timeOf(record))} ${text}\n`;
}

function timeOf({ time }: LogRecord): string {
  const at = new Date(textOf(time));
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** `3.2 ms`, `1.4 s`. */
export function durationText(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
