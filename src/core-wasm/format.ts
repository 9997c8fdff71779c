/**
 * The numbers of the WebAssembly binary format, for all code that reads or writes core modules (core specification,
 * chapter 5, "Binary Format"): only those that the host uses.
 *
 * @module
 */

import type { BitType } from "../contract/link-plan.ts";
import { unsignedLeb } from "./byte-writer.ts";

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

/** Bit of a memory argument's alignment: the index of a memory follows (the multi-memory proposal). */
export const HAS_MEMORY_INDEX = 0x40;

/** A mutable global (5.3.10). */
export const MUTABLE = 0x01;

/** Bits of the byte before a size (5.3.7; the threads, memory64 and custom-page-sizes proposals). */
export const LIMITS_FLAG = { hasMax: 1, shared: 2, wide: 4, customPageSize: 8 } as const;

/** Instructions (5.4). One with a prefix byte is written with it in front: 0xfc 0x09 is 0xfc_0009. */
export const OPCODE = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Load8U: 0x2d,
  i32Store: 0x36,
  i64Store: 0x37,
  i32Store8: 0x3a,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i64Eqz: 0x50,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  arrayNew: 0xfb_0006,
  arrayNewDefault: 0xfb_0007,
  arrayNewData: 0xfb_0009,
  arrayNewElem: 0xfb_000a,
  arrayFill: 0xfb_0010,
  arrayCopy: 0xfb_0011,
  arrayInitData: 0xfb_0012,
  arrayInitElem: 0xfb_0013,
  memoryInit: 0xfc_0008,
  dataDrop: 0xfc_0009,
  memoryCopy: 0xfc_000a,
  memoryFill: 0xfc_000b,
  tableInit: 0xfc_000c,
  elemDrop: 0xfc_000d,
  tableCopy: 0xfc_000e,
  tableGrow: 0xfc_000f,
  tableFill: 0xfc_0011,
} as const;

/** Bytes that an opcode of two parts begins with. */
export const PREFIX = { garbageCollection: 0xfb, more: 0xfc, vector: 0xfd, atomic: 0xfe } as const;

/** The largest number behind a prefix byte that an opcode here has room for. No proposal comes near it. */
export const CODE_MAX = 0xffff;

/** The opcode of an instruction with a prefix byte, as {@link OPCODE} has it. */
export function prefixedOpcode(prefix: number, code: number): number {
  return prefix * (CODE_MAX + 1) + code;
}

/** The prefix byte of an opcode, 0 where it has none, and the number behind it. */
export function splitOpcode(opcode: number): readonly [prefix: number, code: number] {
  return [Math.floor(opcode / (CODE_MAX + 1)), opcode % (CODE_MAX + 1)];
}

/** The bytes of an opcode. */
export function opcodeBytes(opcode: number): number[] {
  const [prefix, code] = splitOpcode(opcode);
  return prefix === 0 ? [code] : [prefix, ...unsignedLeb(code)];
}
