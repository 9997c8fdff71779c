/**
 * `wasi:io/poll#poll` as an import that waits where the guest may be suspended, and only looks where it may not. V8
 * refuses to call an import that may suspend from code that cannot be, whether the import would or not: so the guest
 * calls a core function of our own, which decides.
 *
 * ```wat
 * (module
 *   (import "" "mayWait" (func $may-wait (result i32)))
 *   (import "" "wait" (func $wait (param i32 i32 i32)))
 *   (import "" "look" (func $look (param i32 i32 i32)))
 *   (func (export "poll") (param i32 i32 i32)
 *     (if (call $may-wait)
 *       (then (call $wait (local.get 0) (local.get 1) (local.get 2)))
 *       (else (call $look (local.get 0) (local.get 1) (local.get 2))))))
 * ```
 *
 * Source: WebAssembly core specification, chapter 5, "Binary Format".
 *
 * @module
 */

import type { CoreFunction } from "./calls-across.ts";

/** The imports of the module, by their names. */
export interface PollFunctions {
  /** 1 where the guest may be suspended, else 0. */
  readonly mayWait: () => number;
  /** A suspending import. */
  readonly wait: object;
  readonly look: CoreFunction;
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I32 = 0x7f;
const ARGUMENTS = [0x20, 0, 0x20, 1, 0x20, 2] as const;

const BINARY = Uint8Array.from([
  ...PREAMBLE,
  ...section(1, [2, 0x60, 0, 1, I32, 0x60, 3, I32, I32, I32, 0]),
  ...section(2, [3, 0, ...text("mayWait"), 0, 0, 0, ...text("wait"), 0, 1, 0, ...text("look"), 0, 1]),
  ...section(3, [1, 1]),
  ...section(7, [1, ...text("poll"), 0, 3]),
  // One body without locals: call 0, if, call 1, else, call 2.
  ...section(10, [1, 24, 0, 0x10, 0, 0x04, 0x40, ...ARGUMENTS, 0x10, 1, 0x05, ...ARGUMENTS, 0x10, 2, 0x0b, 0x0b]),
]);

let compiled: WebAssembly.Module | undefined;

/** Makes the import for one instance. */
export function createPollSwitch(functions: PollFunctions): unknown {
  compiled ??= new WebAssembly.Module(BINARY);
  return new WebAssembly.Instance(compiled, { "": { ...functions } }).exports["poll"];
}

/** All of it is shorter than 128 bytes: its length is one byte. */
function section(id: number, content: readonly number[]): number[] {
  return [id, content.length, ...content];
}

function text(name: string): number[] {
  return [name.length, ...Buffer.from(name, "latin1")];
}
