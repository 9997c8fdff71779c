/**
 * Removes from this process's JavaScript what neither the runner nor generated code needs, before any generated code is
 * loaded: the globals that reach the process, the network or other threads, and every further import. Node's permission
 * model denies files, sockets and children, but not `process.kill` or V8's flags.
 *
 * A cheap second line of defence. The first is the gate, which checks the bytes, and the boundary of the process.
 *
 * @module
 */

import { registerHooks } from "node:module";
import { HostError } from "../errors/host-error.ts";

/** The globals that stay: those of the language, and those that the channel, generated code and the runner use. */
const KEPT_GLOBALS: ReadonlySet<string> = new Set([
  ..."globalThis Infinity NaN undefined isFinite isNaN parseFloat parseInt".split(" "),
  ..."decodeURI decodeURIComponent encodeURI encodeURIComponent".split(" "),
  ..."Object Function Array Number Boolean String Symbol BigInt Date Promise RegExp Math JSON Reflect Proxy".split(" "),
  ..."Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError".split(
    " ",
  ),
  ..."Map Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator DisposableStack AsyncDisposableStack".split(" "),
  ..."ArrayBuffer DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array".split(" "),
  ..."Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array Float16Array".split(" "),
  ..."WebAssembly TextDecoder TextEncoder Buffer console performance".split(" "),
  ..."setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate queueMicrotask".split(" "),
]);

/** From now on, only `entry` can be imported, or nothing where there is no entry, and only the kept globals exist. */
export function sealRealm(entry?: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== entry) throw new HostError("internal", "nothing more can be imported here");
      return next(specifier, context);
    },
  });
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!KEPT_GLOBALS.has(name)) Reflect.deleteProperty(globalThis, name);
  }
}
