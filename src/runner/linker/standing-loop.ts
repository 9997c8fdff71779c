/**
 * The core module of a {@link StandingCall}: a loop that calls a function, passes its result out and waits for the next
 * call.
 *
 * ```wat
 * (module
 *   (import "" "call" (func $call (param …) (result …)))
 *   (import "" "returned" (func $returned (param …)))
 *   (import "" "next" (func $next))
 *   (global (export "0") (mut …) …) …
 *   (func (export "serve")
 *     (loop (call $returned (call $call (global.get 0) …)) (call $next) (br 0))))
 * ```
 *
 * @module
 */

import { ByteWriter } from "../../core-wasm/byte-writer.ts";
import { BIT_TYPE, EMPTY_BLOCK, MUTABLE, OPCODE, SECTION } from "../../core-wasm/format.ts";
import {
  encodeModule,
  exportOf,
  functionBody,
  importOf,
  functionType,
  section,
} from "../../core-wasm/module-writer.ts";
import type { FlatType } from "./compiled-type.ts";

/** The parameters and results of a core function: so few that each index is one byte. */
export interface CoreSignature {
  readonly params: readonly FlatType[];
  readonly results: readonly FlatType[];
}

const ZERO: Readonly<Record<FlatType, readonly number[]>> = {
  i32: [OPCODE.i32Const, 0],
  i64: [OPCODE.i64Const, 0],
  f32: [OPCODE.f32Const, 0, 0, 0, 0],
  f64: [OPCODE.f64Const, 0, 0, 0, 0, 0, 0, 0, 0],
};

/** The module's binary for functions of this signature. */
export function encodeStandingLoop({ params, results }: CoreSignature): Uint8Array {
  const types = [functionType(params, results), functionType(results, []), functionType([], [])];
  const imports = ["call", "returned", "next"].map((name, type) => importOf(name, "func", type));
  const globals = params.map((type) => new ByteWriter().u8(BIT_TYPE[type], MUTABLE, ...ZERO[type], OPCODE.end));
  const exports = params.map((_, index) => exportOf(String(index), "global", index));
  const values = params.flatMap((_, index) => [OPCODE.globalGet, index]);
  const calls = [OPCODE.call, 0, OPCODE.call, 1, OPCODE.call, 2];
  return encodeModule([
    section(SECTION.type, types),
    section(SECTION.import, imports),
    section(SECTION.function, [new ByteWriter().u32(2)]),
    section(SECTION.global, globals),
    section(SECTION.export, [exportOf("serve", "func", 3), ...exports]),
    section(SECTION.code, [functionBody(OPCODE.loop, EMPTY_BLOCK, ...values, ...calls, OPCODE.br, 0, OPCODE.end)]),
  ]);
}
