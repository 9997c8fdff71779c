/**
 * The format of exported data: one JSON object per line. A header names the format and the namespace, one line per value
 * follows, and the last line has the number of values, so that a truncated export is recognised.
 *
 * @module
 */

import { type BucketName, isBucketName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { DataEntry } from "./data.ts";
import type { Namespace } from "./store.ts";

const FORMAT = "network-host-data";
const VERSION = 1;

/** A value of 15 MiB in base64, its key, and some more. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A line that was read. */
export type DataLine =
  | { readonly kind: "header" }
  | { readonly kind: "entry"; readonly bucket: BucketName; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "end"; readonly keys: number };

export function formatHeader(namespace: Namespace): string {
  const { kind } = namespace;
  return line({ format: FORMAT, version: VERSION, kind, name: kind === "private" ? namespace.plugin : namespace.name });
}

export function formatEntry({ bucket, key, value }: DataEntry): string {
  return line({ bucket, key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") });
}

export function formatEnd({ keys, bytes }: { readonly keys: number; readonly bytes: number }): string {
  return line({ end: { keys, bytes } });
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Reads an export, line by line. Throws `usage-invalid` for what is not an export, with the line's number, and for one that was cut off. */
export class DataLineReader implements AsyncIterable<DataLine> {
  readonly #input: AsyncIterable<unknown>;

  constructor(input: AsyncIterable<unknown>) {
    this.#input = input;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<DataLine> {
    let [number, entries] = [0, 0];
    let state: "header" | "entries" | "ended" = "header";
    for await (const text of linesOf(this.#input)) {
      number += 1;
      const parsed = parseLine(text);
      if (parsed === undefined) throw invalid(`line ${number} is not a line of an export`);
      if (state === "ended" || (parsed.kind === "header") !== (state === "header"))
        throw invalid(state === "header" ? "it does not begin as an export does" : `line ${number} has no place there`);
      state = "entries";
      if (parsed.kind === "entry") entries += 1;
      if (parsed.kind === "end") {
        if (parsed.keys !== entries) throw invalid(`it has ${entries} values, and says that it has ${parsed.keys}`);
        state = "ended";
      }
      yield parsed;
    }
    if (state !== "ended") throw invalid("it was cut off: its last line is missing");
  }
}

function parseLine(text: string): DataLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  if (fields["format"] !== undefined) {
    if (fields["format"] !== FORMAT) return undefined;
    if (fields["version"] === VERSION) return { kind: "header" };
    throw invalid(`it has version ${JSON.stringify(fields["version"])}, and this network-host knows ${VERSION} only`);
  }
  if (fields["end"] !== undefined) {
    const { keys } = Object(fields["end"]) as { readonly keys?: unknown };
    return typeof keys === "number" ? { kind: "end", keys } : undefined;
  }
  const { bucket, key, value: encoded } = fields;
  if (typeof bucket !== "string" || !isBucketName(bucket)) return undefined;
  if (typeof key !== "string" || !key.isWellFormed()) return undefined;
  if (typeof encoded !== "string" || !BASE64.test(encoded)) return undefined;
  return { kind: "entry", bucket, key, value: Buffer.from(encoded, "base64") };
}

/** Lines without their ends, none longer than it may be. */
async function* linesOf(input: AsyncIterable<unknown>): AsyncIterable<string> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of input) {
    let rest = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      yield Buffer.concat([...held, rest.subarray(0, end)]).toString("utf8");
      [held, heldBytes] = [[], 0];
      rest = rest.subarray(end + 1);
    }
    held.push(rest);
    heldBytes += rest.length;
    if (heldBytes > MAX_LINE_BYTES) throw invalid(`a line has more than ${MAX_LINE_BYTES} bytes`);
  }
  if (heldBytes > 0) yield Buffer.concat(held).toString("utf8");
}

function invalid(reason: string): HostError {
  return new HostError("usage-invalid", `the import cannot be used: ${reason}`);
}
