/**
 * Types of core values, and those that a module defines (WebAssembly core specification, 5.3): only as far as needed to read
 * past them.
 *
 * @module
 */

import { BIT_TYPE, EMPTY_BLOCK, MUTABLE } from "../../core-wasm/format.ts";
import type { ByteReader } from "../byte-reader.ts";

const NUMBER_TYPES: ReadonlySet<number> = new Set(Object.values(BIT_TYPE));

/** `(ref null ht)` and `(ref ht)`, followed by a heap type. */
const EXPLICIT_REFERENCES = new Set([0x63, 0x64]);

/**
 * The abstract heap types: `exn`, `array`, `struct`, `i31`, `eq`, `any`, `extern`, `func`, `none`, `noextern`, `nofunc`,
 * `noexn`. Written alone, one stands for a nullable reference.
 */
const REFERENCES = new Set([0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74]);

/** `i8` and `i16`, which only fields have. */
const PACKED_TYPES = new Set([0x78, 0x77]);

/** Reads a value type and returns its first byte. */
export function readValueType(reader: ByteReader): number {
  const code = reader.peek();
  if (!NUMBER_TYPES.has(code)) return readReferenceType(reader);
  return reader.u8();
}

/** Reads a reference type and returns its first byte. */
export function readReferenceType(reader: ByteReader): number {
  const code = reader.u8();
  if (EXPLICIT_REFERENCES.has(code)) skipHeapType(reader);
  else if (!REFERENCES.has(code)) throw reader.malformed(`0x${code.toString(16)} is not a type of a core value`);
  return code;
}

/** Skips a heap type: the index of a type, or an abstract one, which is a negative number of one byte. */
export function skipHeapType(reader: ByteReader): void {
  const code = reader.peek();
  const type = reader.s33();
  if (type < 0 && !REFERENCES.has(code)) throw reader.malformed(`0x${code.toString(16)} is not a heap type`);
}

/** Skips a block type: nothing, a value type, or the index of a function type. */
export function skipBlockType(reader: ByteReader): void {
  const code = reader.peek();
  if (code === EMPTY_BLOCK) reader.skip(1);
  else if ((code & 0xc0) === 0x40) readValueType(reader);
  else if (reader.s33() < 0) throw reader.malformed("a block's type is a negative number");
}

/** Skips the type of a struct's field or an array's elements. */
export function skipFieldType(reader: ByteReader): void {
  if (PACKED_TYPES.has(reader.peek())) reader.skip(1);
  else readValueType(reader);
  if (reader.u8() > MUTABLE) throw reader.malformed("a field is neither constant nor mutable");
}
