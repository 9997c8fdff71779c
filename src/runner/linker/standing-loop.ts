/**
 * The core module of a {@link StandingCall}: a loop that calls a function, hands its result out and waits for the next
 * call. It is written here, byte by byte; nothing of a plugin's is in it.
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
 * Source: WebAssembly core specification, chapter 5, "Binary Format".
 *
 * @module
 */

import type { FlatType } from "./compiled-type.ts";

/** The parameters and results of a core function: few enough that their number is one byte. */
export interface CoreSignature {
  readonly params: readonly FlatType[];
  readonly results: readonly FlatType[];
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const;
const FUNCTION = 0x60;
const KIND = { function: 0x00, global: 0x03 } as const;
const MUTABLE = 0x01;
const OP = { loop: 0x03, end: 0x0b, br: 0x0c, call: 0x10, globalGet: 0x23 } as const;
const NO_RESULT = 0x40;
const TYPE: Readonly<Record<FlatType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };
const ZERO: Readonly<Record<FlatType, readonly number[]>> = {
  i32: [0x41, 0],
  i64: [0x42, 0],
  f32: [0x43, 0, 0, 0, 0],
  f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
};

/** The module's binary for functions of this signature. */
export function encodeStandingLoop({ params, results }: CoreSignature): Uint8Array {
  const types = [functionType(params, results), functionType(results, []), functionType([], [])];
  const imports = ["call", "returned", "next"].map((name, type) =>
    [text(""), text(name), [KIND.function, type]].flat(),
  );
  const globals = params.map((type) => [TYPE[type], MUTABLE, ...ZERO[type], OP.end]);
  const exports = params.map((_, index) => [...text(String(index)), KIND.global, index]);
  return Uint8Array.from([
    ...PREAMBLE,
    ...section(SECTION.type, types),
    ...section(SECTION.import, imports),
    ...section(SECTION.function, [[2]]),
    ...section(SECTION.global, globals),
    ...section(SECTION.export, [[...text("serve"), KIND.function, 3], ...exports]),
    ...section(SECTION.code, [body(params.length)]),
  ]);
}

function body(params: number): number[] {
  const values = Array.from({ length: params }, (_, index) => [OP.globalGet, index]).flat();
  const calls = [OP.call, 0, OP.call, 1, OP.call, 2];
  const code = [0, OP.loop, NO_RESULT, ...values, ...calls, OP.br, 0, OP.end, OP.end];
  return [...unsigned(code.length), ...code];
}

function functionType(params: readonly FlatType[], results: readonly FlatType[]): number[] {
  const list = (types: readonly FlatType[]): number[] => [types.length, ...types.map((type) => TYPE[type])];
  return [FUNCTION, ...list(params), ...list(results)];
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  const content = [entries.length, ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  return [value.length, ...Buffer.from(value, "latin1")];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
