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
 * @module
 */

import type { CoreFunction } from "./calls-across.ts";
import {
  encodeModule,
  exportOf,
  functionBody,
  functionType,
  importOf,
  KIND,
  NO_RESULT,
  OP,
  section,
  SECTION,
} from "./core-module.ts";

/** The imports of the module, by their names. */
export interface PollFunctions {
  /** 1 where the guest may be suspended, else 0. */
  readonly mayWait: () => number;
  /** A suspending import. */
  readonly wait: object;
  readonly look: CoreFunction;
}

const ARGUMENTS = [0, 1, 2].flatMap((index) => [OP.localGet, index]);

const BODY = [OP.call, 0, OP.if, NO_RESULT, ARGUMENTS, OP.call, 1, OP.else, ARGUMENTS, OP.call, 2, OP.end].flat();

const BINARY = encodeModule(
  section(SECTION.type, [functionType([], ["i32"]), functionType(["i32", "i32", "i32"], [])]),
  section(SECTION.import, [
    importOf("mayWait", KIND.function, 0),
    importOf("wait", KIND.function, 1),
    importOf("look", KIND.function, 1),
  ]),
  section(SECTION.function, [[1]]),
  section(SECTION.export, [exportOf("poll", KIND.function, 3)]),
  section(SECTION.code, [functionBody(...BODY)]),
);

let compiled: WebAssembly.Module | undefined;

/** Makes the import for one instance. */
export function createPollSwitch(functions: PollFunctions): unknown {
  compiled ??= new WebAssembly.Module(BINARY);
  return new WebAssembly.Instance(compiled, { "": { ...functions } }).exports["poll"];
}
