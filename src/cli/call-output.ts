/**
 * Shows the result of `call`: the body alone on standard output, the rest on standard error; or, with
 * `--json`, everything as one object on standard output. A pipe gets the body's bytes as they are; a
 * terminal gets only what cannot harm it.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { HEADER } from "../contract/protocol.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { scrubSecrets } from "../telemetry/redaction.ts";
import type { CallError, CallReply } from "./call-reply.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { ReplyFlags } from "./request-arguments.ts";
import { styled, type Terminal, write } from "./terminal.ts";

/** What a call's report shows. */
export interface CallReport {
  readonly plugin: string;
  readonly method: string;
  readonly id: string;
  /** The plugin's status where it answered. */
  readonly status: number | undefined;
  readonly error: CallError | undefined;
  readonly body: Uint8Array;
  /** What the log says of a failure besides, where the command has the log. Printable. */
  readonly detail?: string;
  /** Problems noticed although there is a reply. */
  readonly warnings: readonly string[];
  /** Absent if there was no connection or no reply. */
  readonly times: CallTimes | undefined;
}

/** How long it took. */
export interface CallTimes {
  /** Absent where nothing was connected to. */
  readonly connectMs?: number;
  readonly roundTripMs: number;
}

/** The part of a report that the request and its reply make. */
export function reportReply(
  { plugin, method, id }: { readonly plugin: string; readonly method: string; readonly id: string },
  reply: CallReply,
): Omit<CallReport, "warnings" | "times"> {
  const outcome =
    reply.kind === "ok" ? { status: reply.status, error: undefined } : { status: undefined, error: reply.error };
  return { plugin, method, id: reply.id ?? id, body: reply.body, ...outcome };
}

/** Shows the report in the form that the flags ask for, and returns the command's exit code. */
export async function writeReport(
  report: CallReport,
  { json, fail }: ReplyFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  await (json === true ? writeJsonReport(report, terminal) : writeTextReport(report, terminal));
  if (report.error !== undefined) return report.error.exitCode;
  return fail === true && (report.status ?? 0) >= 400 ? EXIT.failed : EXIT.ok;
}

/** The report as one JSON object, for programs. */
async function writeJsonReport(report: CallReport, { stdout }: Terminal): Promise<void> {
  const { error, body, status, times } = report;
  const isText = isUtf8(body);
  const value = {
    ok: error === undefined,
    plugin: report.plugin,
    method: report.method,
    id: report.id,
    status: status ?? null,
    error:
      error === undefined
        ? null
        : {
            code: error.code,
            message: scrubSecrets(error.message),
            retryable: error.retryable,
            replyCode: error.replyCode ?? null,
            retryAfterMs: error.retryAfterMs ?? null,
            ...(report.detail !== undefined && { detail: scrubSecrets(report.detail) }),
          },
    body: Buffer.from(body).toString(isText ? "utf8" : "base64"),
    bodyEncoding: isText ? "utf8" : "base64",
    warnings: report.warnings,
    connectMs: roundMs(times?.connectMs),
    roundTripMs: roundMs(times?.roundTripMs),
  };
  await write(stdout, `${JSON.stringify(value)}\n`);
}

/** The report as text for people. */
async function writeTextReport(report: CallReport, terminal: Terminal): Promise<void> {
  for (const warning of report.warnings) {
    await write(terminal.stderr, `${styled(terminal.stderr, "warning", "warning:")} ${printableText(warning)}\n`);
  }
  if (report.error === undefined) {
    await write(terminal.stderr, statusLine(report, terminal));
    await writeBody(report.body, terminal);
  } else {
    await write(terminal.stderr, errorLines(report, report.error, terminal));
  }
}

function statusLine({ status = 0, id, times }: CallReport, { stderr }: Terminal): string {
  const style = status < 400 ? "good" : "warning";
  return `${styled(stderr, style, String(status))} ${styled(stderr, "quiet", details(id, times))}\n`;
}

function errorLines({ id, body, detail = "", times }: CallReport, error: CallError, { stderr }: Terminal): string {
  const head = styled(stderr, "bad", `error ${printableText(error.code)}:`);
  const lines = [`${head} ${printableText(scrubSecrets(error.message))}`];
  const text = isUtf8(body) ? printableText(Buffer.from(body).toString("utf8")).trimEnd() : `${body.length} bytes`;
  if (text !== "" && !error.message.includes(text)) lines.push(text.replaceAll(/^/gm, "  "));
  if (detail !== "" && ![error.message, text].some((said) => said.includes(detail)))
    lines.push(scrubSecrets(detail).replaceAll(/^/gm, "  "));
  if (error.retryAfterMs !== undefined) {
    lines.push(styled(stderr, "quiet", `  try again after ${error.retryAfterMs} ms (${HEADER.retryAfterMs})`));
  }
  if (times !== undefined) lines.push(styled(stderr, "quiet", `  ${details(id, times)}`));
  return `${lines.join("\n")}\n`;
}

function details(id: string, times: CallReport["times"]): string {
  const took = times === undefined ? "" : `in ${roundMs(times.roundTripMs)} ms, `;
  return printableText(`${took}id ${id}`);
}

async function writeBody(body: Uint8Array, { stdout, stderr }: Terminal): Promise<void> {
  if (stdout.isTTY !== true) {
    await write(stdout, body);
  } else if (isUtf8(body)) {
    const text = printableText(Buffer.from(body).toString("utf8"));
    await write(stdout, text === "" || text.endsWith("\n") ? text : `${text}\n`);
  } else {
    const hint = `${body.length} bytes that are not text: send them to a file or a pipe, or use --json`;
    await write(stderr, `${styled(stderr, "quiet", hint)}\n`);
  }
}

function roundMs(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 100) / 100;
}
