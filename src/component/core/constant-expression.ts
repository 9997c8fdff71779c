/**
 * Skips constant expressions, which initialise globals, tables and segments (WebAssembly core specification, 3.4.13 and
 * 5.4.9).
 *
 * @module
 */

import type { HostError } from "../../errors/host-error.ts";
import type { ByteReader } from "../byte-reader.ts";
import { BUILD_FAULTS } from "../build-faults.ts";
import { skipHeapType } from "./value-type.ts";

const END = 0x0b;
const V128_CONST = 0x0c;

const INDEX = (reader: ByteReader): void => reader.skipLeb(32);

/** Opcode → skips the instruction's immediate. */
const IMMEDIATES = new Map<number, (reader: ByteReader) => void>([
  [0x23, INDEX], // global.get
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
  [0xd2, INDEX], // ref.func
  [0xfb, skipObject],
  [0xfd, skipVectorConstant],
]);

/**
 * Instructions that make an object, by the number behind their prefix. Operands stand before them like any other
 * instruction, so that even `array.new_fixed` of thousands is read in the one loop.
 */
const OBJECT_IMMEDIATES = new Map<number, (reader: ByteReader) => void>([
  [0x00, INDEX], // struct.new
  [0x01, INDEX], // struct.new_default
  [0x06, INDEX], // array.new
  [0x07, INDEX], // array.new_default
  [
    0x08, // array.new_fixed
    (reader) => {
      reader.skipLeb(32);
      reader.skipLeb(32);
    },
  ],
  [0x1a, () => undefined], // any.convert_extern
  [0x1b, () => undefined], // extern.convert_any
  [0x1c, () => undefined], // ref.i31
]);

/** Skips an expression up to and including its `end`. */
export function skipConstantExpression(reader: ByteReader): void {
  for (;;) {
    const opcode = reader.u8();
    if (opcode === END) return;
    const skipImmediate = IMMEDIATES.get(opcode);
    if (skipImmediate === undefined) throw refused(reader, `0x${opcode.toString(16)}`);
    skipImmediate(reader);
  }
}

function refused(reader: ByteReader, instruction: string): HostError {
  return reader.unsupported(`instruction ${instruction} in a constant expression`, BUILD_FAULTS.proposals.remedy);
}

function skipObject(reader: ByteReader): void {
  const code = reader.u32();
  const skipImmediates = OBJECT_IMMEDIATES.get(code);
  if (skipImmediates === undefined) throw refused(reader, `0xfb 0x${code.toString(16)}`);
  skipImmediates(reader);
}

function skipVectorConstant(reader: ByteReader): void {
  if (reader.u32() !== V128_CONST) throw reader.malformed("a constant expression computes with vectors");
  reader.skip(16);
}
