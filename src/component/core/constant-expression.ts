/**
 * Skips constant expressions, which initialise globals, tables and segments (WebAssembly core specification, 3.4.13 and
 * 5.4.9).
 *
 * @module
 */

import type { ByteReader } from "../byte-reader.ts";
import { BUILD_FAULTS } from "../build-faults.ts";
import { garbageCollected } from "./collected.ts";
import { skipHeapType } from "./value-type.ts";

const END = 0x0b;
const V128_CONST = 0x0c;

/** Prefix of the instructions of garbage collection. */
const GARBAGE_COLLECTION = 0xfb;

/** Opcode → skips the instruction's immediate. */
const IMMEDIATES = new Map<number, (reader: ByteReader) => void>([
  [0x23, (reader) => reader.skipLeb(32)], // global.get
  [0x41, (reader) => reader.skipLeb(32)], // i32.const
  [0x42, (reader) => reader.skipLeb(64)], // i64.const
  [0x43, (reader) => reader.skip(4)], // f32.const
  [0x44, (reader) => reader.skip(8)], // f64.const
  [0x6a, () => undefined], // i32.add
  [0x6b, () => undefined], // i32.sub
  [0x6c, () => undefined], // i32.mul
  [0x7c, () => undefined], // i64.add
  [0x7d, () => undefined], // i64.sub
  [0x7e, () => undefined], // i64.mul
  [0xd0, skipHeapType], // ref.null
  [0xd2, (reader) => reader.skipLeb(32)], // ref.func
  [0xfd, skipVectorConstant],
]);

/** Skips an expression up to and including its `end`. */
export function skipConstantExpression(reader: ByteReader): void {
  for (;;) {
    const opcode = reader.u8();
    if (opcode === END) return;
    if (opcode === GARBAGE_COLLECTION)
      throw garbageCollected(reader, `instruction 0xfb 0x${reader.u32().toString(16)} in a constant expression`);
    const skipImmediate = IMMEDIATES.get(opcode);
    if (skipImmediate === undefined) {
      throw reader.unsupported(
        `instruction 0x${opcode.toString(16)} in a constant expression`,
        BUILD_FAULTS.proposals.remedy,
      );
    }
    skipImmediate(reader);
  }
}

function skipVectorConstant(reader: ByteReader): void {
  if (reader.u32() !== V128_CONST) throw reader.malformed("a constant expression computes with vectors");
  reader.skip(16);
}
