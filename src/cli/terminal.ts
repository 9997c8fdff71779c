/**
 * The parts of the process that a command may use, and the look of its text: plain, aligned, coloured only on a terminal
 * that supports colours (NO_COLOR, FORCE_COLOR and TERM are honoured by Node's `styleText`).
 *
 * @module
 */

import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";
import { shortPath } from "../config/short-path.ts";
import { HostError } from "../errors/host-error.ts";
import { OCI_SCHEME } from "../oci/reference.ts";
import { printableText } from "../telemetry/plugin-text.ts";

/** A stream that may be a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean };

/** The process around a command. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Styles by meaning. */
const STYLES = { strong: "bold", quiet: "dim", good: "green", warning: "yellow", bad: "red" } as const;

export type Style = keyof typeof STYLES;

/** The text in a style, where the stream shows styles. */
export function styled(stream: OutputStream, style: Style, text: string): string {
  return styleText(STYLES[style], text, { stream });
}

/**
 * Writes and waits until the text is flushed: nothing is lost if the process ends afterwards.
 *
 * @throws HostError `output-failed`
 */
export async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (data.length === 0) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.write(data, (error) => (error ? reject(outputFailed(error)) : resolve()));
  await promise;
}

function outputFailed(error: Error): HostError {
  const message = `the command did its work, but its output could not be written: ${error.message}`;
  return new HostError("output-failed", message, { cause: error });
}

/** Text not written by then has no reader. */
const LAST_WRITE_MS = 1_000;

/**
 * Writes the last text and waits a moment for it to be flushed. Never rejects: if it cannot be written, there is no one to
 * tell.
 */
export async function writeLast(stream: Writable, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LAST_WRITE_MS);
  stream.write(text, () => resolve());
  await promise;
  clearTimeout(timer);
}

/** The shortest form of an absolute path, printable. A reference is shown as it is. */
export function shownPath(path: string): string {
  return printableText(path.startsWith(OCI_SCHEME) ? path : shortPath(path));
}

const COLUMN_GAP = "  ";

/** Rows as lines with their columns aligned; the last column is not padded. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visibleLength(cell)))
      .join(COLUMN_GAP)
      .trimEnd(),
  );
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
