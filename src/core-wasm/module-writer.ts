/**
 * Writes core modules: the small ones that the linker makes for itself, and those that the compiler rewrites. The caller
 * passes the sections in the order that the format demands.
 *
 * Source: WebAssembly core specification, chapter 5, "Binary Format".
 *
 * @module
 */

import type { BitType } from "../contract/link-plan.ts";
import { ByteWriter } from "./byte-writer.ts";
import { BIT_TYPE, CORE_PREAMBLE, type CoreExternKind, EXTERN_KIND, FUNCTION_TYPE, OPCODE } from "./format.ts";

/** A section: its number and its content, without the length. */
export interface WrittenSection {
  readonly id: number;
  readonly content: ByteWriter;
}

/** A module of these sections. */
export function encodeModule(sections: Iterable<WrittenSection>): Uint8Array {
  const module = new ByteWriter().u8(...CORE_PREAMBLE);
  for (const { id, content } of sections) module.u8(id).sized(content);
  return module.finish();
}

/** A section that is a vector. */
export function section(id: number, entries: readonly ByteWriter[]): WrittenSection {
  const content = new ByteWriter().u32(entries.length);
  for (const entry of entries) content.append(entry);
  return { id, content };
}

export function functionType(params: readonly BitType[], results: readonly BitType[]): ByteWriter {
  const type = new ByteWriter().u8(FUNCTION_TYPE);
  for (const list of [params, results]) type.u32(list.length).u8(...list.map((name) => BIT_TYPE[name]));
  return type;
}

/** An import from the module with the empty name; `type` is the bytes of the import's type. */
export function importOf(name: string, kind: CoreExternKind, ...type: readonly number[]): ByteWriter {
  return new ByteWriter()
    .name("")
    .name(name)
    .u8(EXTERN_KIND[kind], ...type);
}

export function exportOf(name: string, kind: CoreExternKind, index: number): ByteWriter {
  return new ByteWriter().name(name).u8(EXTERN_KIND[kind]).u32(index);
}

/** A function's body without locals. This adds the `end`. */
export function functionBody(...code: readonly number[]): ByteWriter {
  return new ByteWriter().sized(new ByteWriter().u32(0).u8(...code, OPCODE.end));
}
