/**
 * Reads the compiler's report. The report comes from a process that may have read hostile bytes: everything in it is
 * checked, and nothing is evaluated.
 *
 * @module
 */

import { z } from "zod";
import { HEADER_LENGTH_BYTES, HEADER_MAX_BYTES, MESSAGE_MAX_LENGTH, type ReportHeader } from "../../compiler/report.ts";
import { LINK_PLAN_FILE } from "../../contract/link-plan.ts";
import { HostError } from "../../errors/host-error.ts";
import { linkEntrySchema } from "./link-entry-schema.ts";

const count = z.int().min(0);
const names = z.array(z.string().max(4096)).max(256).readonly();

const summary = z.strictObject({
  componentBytes: count,
  imports: names,
  exports: names,
  coreModules: count,
  memories: z.int().min(1).max(64),
  initialMemoryBytes: count,
  tables: count,
  makesObjects: z.boolean(),
});

const link = linkEntrySchema(z.literal(LINK_PLAN_FILE));

/** Only the file names that the compiler writes; never a path. */
const fileName = z.string().regex(/^component\.(?:js|plan\.json|core[0-9]{0,3}\.wasm|link[0-9]{1,3}\.wasm)$/);

const reportHeader: z.ZodType<ReportHeader> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("inspected"), summary }),
  z.strictObject({
    kind: z.literal("compiled"),
    summary,
    link,
    files: z
      .array(z.strictObject({ name: fileName, bytes: count }))
      .min(1)
      .max(1024)
      .readonly(),
  }),
  z.strictObject({
    kind: z.literal("refused"),
    code: z.enum(["component-rejected", "compile-failed", "resources-exhausted"]),
    message: z.string().max(MESSAGE_MAX_LENGTH),
  }),
]);

/** A report that announces a result. */
export interface CompileReport {
  readonly header: Exclude<ReportHeader, { kind: "refused" }>;
  /** File name → content, for a compiled component. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Parses a report. Throws the compiler's refusal, or `compile-failed` where the report is not well-formed. */
export function parseReport(report: Buffer): CompileReport {
  const { header, bodyOffset } = parseHeader(report);
  if (header.kind === "refused") throw new HostError(header.code, header.message);
  const files = new Map<string, Uint8Array>();
  let offset = bodyOffset;
  for (const { name, bytes } of header.kind === "compiled" ? header.files : []) {
    if (bytes > report.length - offset) throw malformed("a file is cut short");
    if (files.has(name)) throw malformed("a file comes twice");
    files.set(name, report.subarray(offset, offset + bytes));
    offset += bytes;
  }
  if (offset !== report.length) throw malformed("bytes follow the last file");
  if (header.kind === "compiled" && header.link.kind === "planned" && !files.has(header.link.plan))
    throw malformed("the plan is not among the files");
  return { header, files };
}

function parseHeader(report: Buffer): { header: ReportHeader; bodyOffset: number } {
  if (report.length < HEADER_LENGTH_BYTES) throw malformed("there is no header");
  const length = report.readUInt32LE(0);
  const bodyOffset = HEADER_LENGTH_BYTES + length;
  if (length > HEADER_MAX_BYTES || bodyOffset > report.length) throw malformed("the header is cut short or too long");
  const result = reportHeader.safeParse(parseJson(report.toString("utf8", HEADER_LENGTH_BYTES, bodyOffset)));
  if (!result.success) throw malformed("the header is not of its type", result.error);
  return { header: result.data, bodyOffset };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed("the header is not JSON", error);
  }
}

function malformed(what: string, cause?: unknown): HostError {
  return new HostError("compile-failed", `the compiler's report is malformed: ${what}`, { cause });
}
