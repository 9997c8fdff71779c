/**
 * `wasi:io/poll#poll` as an import that waits where the guest may be suspended, and only looks where it may not. From code
 * that cannot be suspended, V8 refuses every call of a suspending import, even of one that would not suspend. So the guest
 * calls a core function of the host, which decides.
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
 * @module
 */

import { ByteWriter } from "../../core-wasm/byte-writer.ts";
import { EMPTY_BLOCK, OPCODE, SECTION } from "../../core-wasm/format.ts";
import {
  encodeModule,
  exportOf,
  functionBody,
  importOf,
  functionType,
  section,
} from "../../core-wasm/module-writer.ts";
import type { CoreFunction } from "./canon.ts";

/** The imports of the module, by their names. */
export interface PollFunctions {
  /** 1 where the guest may be suspended, else 0. */
  readonly mayWait: () => number;
  /** A suspending import. */
  readonly wait: object;
  readonly look: CoreFunction;
}

const ARGUMENTS = [0, 1, 2].flatMap((index) => [OPCODE.localGet, index]);

const BODY = [
  [OPCODE.call, 0, OPCODE.if, EMPTY_BLOCK],
  [...ARGUMENTS, OPCODE.call, 1],
  [OPCODE.else, ...ARGUMENTS, OPCODE.call, 2, OPCODE.end],
].flat();

const BINARY = encodeModule([
  section(SECTION.type, [functionType([], ["i32"]), functionType(["i32", "i32", "i32"], [])]),
  section(SECTION.import, [importOf("mayWait", "func", 0), importOf("wait", "func", 1), importOf("look", "func", 1)]),
  section(SECTION.function, [new ByteWriter().u32(1)]),
  section(SECTION.export, [exportOf("poll", "func", 3)]),
  section(SECTION.code, [functionBody(...BODY)]),
]);

let compiled: WebAssembly.Module | undefined;

/** Makes the import for one instance. */
export function createPollSwitch(functions: PollFunctions): unknown {
  compiled ??= new WebAssembly.Module(BINARY);
  return new WebAssembly.Instance(compiled, { "": { ...functions } }).exports["poll"];
}
