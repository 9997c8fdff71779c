/**
 * Types of core values (WebAssembly core specification, 5.3): only as far as needed to read past them, and to refuse
 * what lives on a collected heap.
 *
 * @module
 */

import { BIT_TYPE, EMPTY_BLOCK } from "../../core-wasm/format.ts";
import type { HostError } from "../../errors/host-error.ts";
import type { ByteReader } from "../byte-reader.ts";
import { garbageCollected } from "./collected.ts";

const NUMBER_TYPES: ReadonlySet<number> = new Set(Object.values(BIT_TYPE));

/** `(ref null ht)` and `(ref ht)`, followed by a heap type. */
const EXPLICIT_REFERENCES = new Set([0x63, 0x64]);

/** `func`, `extern`, `exn`, `noexn`. Written alone, an abstract heap type stands for a nullable reference. */
const REFERENCES = new Set([0x70, 0x6f, 0x69, 0x74]);

const GARBAGE_COLLECTED = new Map([
  [0x6e, "any"],
  [0x6d, "eq"],
  [0x6c, "i31"],
  [0x6b, "struct"],
  [0x6a, "array"],
  [0x71, "none"],
  [0x72, "noextern"],
  [0x73, "nofunc"],
]);

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
  else if (!REFERENCES.has(code)) throw refused(reader, code);
  return code;
}

/** Skips a heap type: the index of a type, or an abstract one, which is a negative number of one byte. */
export function skipHeapType(reader: ByteReader): void {
  const code = reader.peek();
  const type = reader.s33();
  if (type < 0 && !REFERENCES.has(code)) throw refused(reader, code);
}

/** Skips a block type: nothing, a value type, or the index of a function type. */
export function skipBlockType(reader: ByteReader): void {
  const code = reader.peek();
  if (code === EMPTY_BLOCK) reader.skip(1);
  else if ((code & 0xc0) === 0x40) readValueType(reader);
  else if (reader.s33() < 0) throw reader.malformed("a block's type is a negative number");
}

function refused(reader: ByteReader, code: number): HostError {
  const collectedType = GARBAGE_COLLECTED.get(code);
  if (collectedType !== undefined) return garbageCollected(reader, `the type ${collectedType}`);
  return reader.malformed(`0x${code.toString(16)} is not a type of a core value`);
}
