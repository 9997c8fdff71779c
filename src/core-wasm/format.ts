/**
 * The numbers of the WebAssembly binary format, for all code that reads or writes core modules (core specification,
 * chapter 5, "Binary Format"): only those that the host uses.
 *
 * @module
 */

import type { BitType } from "../contract/link-plan.ts";

/** Magic number and version 1 (5.5.16 "Modules"). */
export const CORE_PREAMBLE: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Magic number, version and layer of a component (component-model `Binary.md`, "Component Definitions"). */
export const COMPONENT_PREAMBLE: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** Bytes of either preamble. */
export const PREAMBLE_BYTES = 8;

/** Do the bytes begin with that preamble? */
export function beginsWith(bytes: Uint8Array, preamble: readonly number[]): boolean {
  return preamble.every((byte, index) => bytes[index] === byte);
}

/** Section numbers (5.5.2 "Sections"). */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** The order of sections, each of which occurs at most once. Custom sections may be anywhere. */
export const SECTION_ORDER: readonly number[] = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

/** Kinds of imports and exports (5.5.5, 5.5.10). */
export const EXTERN_KIND = { func: 0x00, table: 0x01, memory: 0x02, global: 0x03, tag: 0x04 } as const;

/** Kinds of things that a core module imports and exports. */
export type CoreExternKind = keyof typeof EXTERN_KIND;

/** Types whose values are bits: numbers and vectors (5.3.1, 5.3.2). */
export const BIT_TYPE: Readonly<Record<BitType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** The first byte of a function type (5.3.6). */
export const FUNCTION_TYPE = 0x60;

/** A block type without parameters and results (5.4.1). */
export const EMPTY_BLOCK = 0x40;

/** A mutable global (5.3.10). */
export const MUTABLE = 0x01;

/** Instructions (5.4). One with a prefix byte is written with it in front: 0xfc 0x09 is 0xfc09. */
export const OPCODE = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  return: 0x0f,
  call: 0x10,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eq: 0x46,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  dataDrop: 0xfc09,
  tableInit: 0xfc0c,
  elemDrop: 0xfc0d,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableFill: 0xfc11,
} as const;
