/**
 * Writes the small core modules that the linker makes for itself, byte by byte. Nothing of a plugin's is in them but
 * numbers and types.
 *
 * Source: WebAssembly core specification, chapter 5, "Binary Format".
 *
 * @module
 */

import type { BitType } from "../../contract/link-plan.ts";

export const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const;

/** Kinds of imports and exports. */
export const KIND = { function: 0x00, memory: 0x02, global: 0x03 } as const;

export const MUTABLE = 0x01;

export const CORE_TYPE: Readonly<Record<BitType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** The only block type that is used: nothing goes in, nothing comes out. */
export const NO_RESULT = 0x40;

export const OP = {
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  call: 0x10,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
} as const;

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const FUNCTION = 0x60;

/** A module of these sections, which are in the format's order. */
export function encodeModule(...sections: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([...PREAMBLE, ...sections.flat()]);
}

/** A section that is a vector. */
export function section(id: number, entries: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

export function functionType(params: readonly BitType[], results: readonly BitType[]): number[] {
  const list = (types: readonly BitType[]): number[] => [types.length, ...types.map((type) => CORE_TYPE[type])];
  return [FUNCTION, ...list(params), ...list(results)];
}

/** An import from the module without a name. */
export function importOf(name: string, ...description: readonly number[]): number[] {
  return [...text(""), ...text(name), ...description];
}

export function exportOf(name: string, kind: number, index: number): number[] {
  return [...text(name), kind, index];
}

/** A function's body without locals. */
export function functionBody(...code: readonly number[]): number[] {
  const content = [0, ...code, OP.end];
  return [...unsigned(content.length), ...content];
}

/** LEB128. */
export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function text(value: string): number[] {
  return [value.length, ...Buffer.from(value, "latin1")];
}
