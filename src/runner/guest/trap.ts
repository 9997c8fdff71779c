/**
 * Traps that the host makes. WebAssembly's exception handling catches any JavaScript error, so a guest could catch what an
 * import throws and run on. It cannot catch a real trap. So the host throws a real one: a module whose only function is
 * `unreachable` makes the error, and the host replaces its message.
 *
 * This is the one error in the runner that is not a `HostError`: it ends a guest, not an operation of the host.
 *
 * @see https://webassembly.github.io/spec/js-api/#exceptions
 * @module
 */

import { ByteWriter } from "../../core-wasm/byte-writer.ts";
import { OPCODE, SECTION } from "../../core-wasm/format.ts";
import { encodeModule, exportOf, functionBody, functionType, section } from "../../core-wasm/module-writer.ts";

/** `(module (func (export "trap") unreachable))` */
const TRAP_MODULE = encodeModule([
  section(SECTION.type, [functionType([], [])]),
  section(SECTION.function, [new ByteWriter().u32(0)]),
  section(SECTION.export, [exportOf("trap", "func", 0)]),
  section(SECTION.code, [functionBody(OPCODE.unreachable)]),
]);

const trapInstruction = new WebAssembly.Instance(new WebAssembly.Module(TRAP_MODULE)).exports["trap"] as () => never;

/** An error that ends the run of the guest that it is thrown into: the guest cannot catch it. */
export function createTrap(message: string): Error {
  try {
    return trapInstruction();
  } catch (trap) {
    const error = trap as Error;
    error.message = message;
    return error;
  }
}
