/**
 * The compiler process's report to the host, sent once on file descriptor 3: `u32 length | header as JSON`, then
 * the files' bytes in the header's order. The host treats all of it as untrusted: the process has worked on
 * hostile bytes.
 *
 * @module
 */

import type { LinkEntry } from "../contract/artifact.ts";
import type { ComponentSummary } from "./gate/summary.ts";

/** Where the report goes. */
export const REPORT_FD = 3;

/** Largest header: a component's import and export names, and the names of its files. */
export const HEADER_MAX_BYTES = 1024 * 1024;

/** Bytes of the header's length. */
export const HEADER_LENGTH_BYTES = 4;

/** Longest message of a refusal, in characters. */
export const MESSAGE_MAX_LENGTH = 2_000;

/** One file of the result. */
export interface ReportedFile {
  readonly name: string;
  readonly bytes: number;
}

export type ReportHeader =
  | { readonly kind: "inspected"; readonly summary: ComponentSummary }
  | {
      readonly kind: "compiled";
      readonly summary: ComponentSummary;
      readonly link: LinkEntry;
      readonly files: readonly ReportedFile[];
    }
  | {
      readonly kind: "refused";
      readonly code: "component-rejected" | "compile-failed" | "resources-exhausted";
      readonly message: string;
    };

/** Encodes a report's header with its length. */
export function encodeHeader(header: ReportHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header), "utf8");
  const length = Buffer.alloc(HEADER_LENGTH_BYTES);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json]);
}
