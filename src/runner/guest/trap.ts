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

/** Those made here. A trap of a guest looks like an error that JavaScript made, which a guest could catch. */
const made = new WeakSet<object>();

/** An error that ends the run of the guest that it is thrown into: the guest cannot catch it. */
export function createTrap(message: string): Error {
  try {
    return trapInstruction();
  } catch (trap) {
    const error = trap as Error;
    error.message = message;
    made.add(error);
    return error;
  }
}

/**
 * Makes a trap of whatever a call out of a guest threw, and keeps what it says and where it came from. A guest's exception
 * does not pass the boundary of its component (component-model `CanonicalABI.md`): for the caller it is a trap.
 */
export function asTrap(thrown: unknown): Error {
  if (thrown instanceof Error && made.has(thrown)) return thrown;
  if (!(thrown instanceof Error)) return createTrap(describeThrown(thrown));
  const trap = createTrap(thrown.message);
  if (thrown.stack !== undefined) trap.stack = thrown.stack;
  return trap;
}

/** Of something that is not an error. */
export function describeThrown(thrown: unknown): string {
  return thrown instanceof WebAssembly.Exception
    ? "the plugin threw an exception and did not catch it"
    : `the guest threw a value of type ${typeof thrown}`;
}

/** A function for a guest to call whose every error is a trap. It does not wait. */
export function trapping(body: (...args: readonly unknown[]) => unknown): (...args: readonly unknown[]) => unknown {
  return (...args) => {
    try {
      return body(...args);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}
