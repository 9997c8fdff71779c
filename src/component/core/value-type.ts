/**
 * Types of core values (WebAssembly core specification, 5.3): only as far as needed to read past them.
 *
 * @module
 */

import type { ByteReader } from "../byte-reader.ts";

/** i32, i64, f32, f64, v128. */
const NUMBER_TYPES = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b]);

/** `(ref null ht)` and `(ref ht)`, followed by a heap type. */
const EXPLICIT_REFERENCES = new Set([0x63, 0x64]);

/** Abstract heap types, which stand for a nullable reference when written alone: `func` is 0x70, `extern` 0x6f. */
const ABSTRACT_HEAP_TYPE_MIN = 0x68;
const ABSTRACT_HEAP_TYPE_MAX = 0x75;

/** Reads a value type and returns its first byte. */
export function readValueType(reader: ByteReader): number {
  const code = reader.peek();
  if (!NUMBER_TYPES.has(code)) return readReferenceType(reader);
  return reader.u8();
}

/** Reads a reference type and returns its first byte. */
export function readReferenceType(reader: ByteReader): number {
  const code = reader.u8();
  if (EXPLICIT_REFERENCES.has(code)) {
    reader.s33();
    return code;
  }
  if (code < ABSTRACT_HEAP_TYPE_MIN || code > ABSTRACT_HEAP_TYPE_MAX) {
    throw reader.malformed(`0x${code.toString(16)} is no type of a core value`);
  }
  return code;
}
