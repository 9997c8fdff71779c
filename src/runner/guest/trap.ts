/**
 * Traps that the host makes. WebAssembly's exception handling sees every JavaScript error, so a guest could
 * catch what an import throws and run on; a real trap it cannot catch. So a trap here is one: a module whose
 * only function is `unreachable` makes the error, and it gets our words.
 *
 * This is the one error in the runner that is no `HostError`: it ends a guest, not an operation of ours.
 *
 * @see https://webassembly.github.io/spec/js-api/#exceptions
 * @module
 */

/** `(module (func (export "trap") unreachable))` */
const TRAP_MODULE = Uint8Array.from(
  Buffer.from("0061736d0100000001040160000003020100070801047472617000000a05010300000b", "hex"),
);

const trapInstruction = new WebAssembly.Instance(new WebAssembly.Module(TRAP_MODULE)).exports["trap"] as () => never;

/** The error that, thrown into a guest, ends its run whatever it does. */
export function createTrap(message: string): Error {
  try {
    return trapInstruction();
  } catch (trap) {
    const error = trap as Error;
    error.message = message;
    return error;
  }
}
