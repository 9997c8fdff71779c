/**
 * The core module of a {@link StandingCall}: a loop that calls a function, hands its result out and waits for the next
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

import type { FlatType } from "./compiled-type.ts";
import {
  CORE_TYPE,
  encodeModule,
  exportOf,
  functionBody,
  functionType,
  importOf,
  KIND,
  MUTABLE,
  NO_RESULT,
  OP,
  section,
  SECTION,
} from "./core-module.ts";

/** The parameters and results of a core function: few enough that their number is one byte. */
export interface CoreSignature {
  readonly params: readonly FlatType[];
  readonly results: readonly FlatType[];
}

const ZERO: Readonly<Record<FlatType, readonly number[]>> = {
  i32: [0x41, 0],
  i64: [0x42, 0],
  f32: [0x43, 0, 0, 0, 0],
  f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
};

/** The module's binary for functions of this signature. */
export function encodeStandingLoop({ params, results }: CoreSignature): Uint8Array {
  const types = [functionType(params, results), functionType(results, []), functionType([], [])];
  const imports = ["call", "returned", "next"].map((name, type) => importOf(name, KIND.function, type));
  const globals = params.map((type) => [CORE_TYPE[type], MUTABLE, ...ZERO[type], OP.end]);
  const exports = params.map((_, index) => exportOf(String(index), KIND.global, index));
  const values = params.flatMap((_, index) => [OP.globalGet, index]);
  const calls = [OP.call, 0, OP.call, 1, OP.call, 2];
  return encodeModule(
    section(SECTION.type, types),
    section(SECTION.import, imports),
    section(SECTION.function, [[2]]),
    section(SECTION.global, globals),
    section(SECTION.export, [exportOf("serve", KIND.function, 3), ...exports]),
    section(SECTION.code, [functionBody(OP.loop, NO_RESULT, ...values, ...calls, OP.br, 0, OP.end)]),
  );
}
