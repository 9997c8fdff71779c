/**
 * Instructions that change a memory (core specification, 5.4.6 and 5.4.7; the threads proposal, since a memory that is not
 * shared may be accessed atomically): what they take from the stack, and which bytes they name in their immediates.
 *
 * @module
 */

import { ByteReader } from "../../../component/byte-reader.ts";
import type { BitType } from "../../../contract/link-plan.ts";
import { HAS_MEMORY_INDEX, OPCODE, PREFIX, prefixedOpcode, splitOpcode } from "../../../core-wasm/format.ts";
import type { Instruction } from "./pass.ts";

/** The operands of a store above the address, from the lowest. */
type Operands = readonly BitType[];

const atomic = (code: number): number => prefixedOpcode(PREFIX.atomic, code);
const vector = (code: number): number => prefixedOpcode(PREFIX.vector, code);

/** The stores of numbers, from `i32.store` to `i64.store32`. */
const PLAIN: readonly BitType[] = ["i32", "i64", "f32", "f64", "i32", "i32", "i64", "i64", "i64"];

/** `v128.store`, and `v128.store8_lane` to `v128.store64_lane`. */
const VECTOR_STORES = [11, 88, 89, 90, 91];

/** Each atomic operation comes with seven widths: i32, i64, i32 of 8 and 16 bits, i64 of 8, 16 and 32 bits. */
const ATOMIC_WIDTHS: readonly BitType[] = ["i32", "i64", "i32", "i32", "i64", "i64", "i64"];

/** From `i32.atomic.store` on: store, add, sub, and, or, xor and xchg, which take a value; then cmpxchg, which takes two. */
const ATOMIC = { first: 0x17, takeOne: 7 } as const;

/** Opcode → operands of every instruction that stores one value. */
export const STORES: ReadonlyMap<number, Operands> = new Map<number, Operands>([
  ...PLAIN.map((type, place): [number, Operands] => [OPCODE.i32Store + place, [type]]),
  ...VECTOR_STORES.map((code): [number, Operands] => [vector(code), ["v128"]]),
  ...Array.from({ length: (ATOMIC.takeOne + 1) * ATOMIC_WIDTHS.length }, (_, place): [number, Operands] => {
    const type = ATOMIC_WIDTHS[place % ATOMIC_WIDTHS.length] as BitType;
    return [atomic(ATOMIC.first + place), place < ATOMIC.takeOne * ATOMIC_WIDTHS.length ? [type] : [type, type]];
  }),
]);

/** Instructions that change a range: each takes where it begins, another number, and its length. */
export const RANGE_STORES: ReadonlySet<number> = new Set([OPCODE.memoryInit, OPCODE.memoryCopy, OPCODE.memoryFill]);

/** Which memory an instruction changes, and what it adds to the address on the stack. */
export interface ChangedMemory {
  readonly memory: number;
  readonly offset: number;
}

/** Reads the immediates of one of {@link STORES} or {@link RANGE_STORES}. */
export function changedMemory({ opcode, bytes }: Instruction): ChangedMemory {
  const reader = ByteReader.of(bytes, "instruction");
  reader.skip(1);
  if (splitOpcode(opcode)[0] !== 0) reader.u32();
  if (RANGE_STORES.has(opcode)) {
    if (opcode === OPCODE.memoryInit) reader.u32();
    return { memory: reader.u32(), offset: 0 };
  }
  const memory = (reader.u32() & HAS_MEMORY_INDEX) === 0 ? 0 : reader.u32();
  return { memory, offset: Number(reader.u64()) };
}
