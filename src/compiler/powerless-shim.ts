/**
 * Gives the transpiler, itself a component, a WASI without access to anything. Its shim's build for Node starts
 * a worker and reaches files, sockets and the environment; the shim's build for browsers has all of that in
 * memory only, and empty. So the shim's modules are resolved without Node's condition.
 *
 * @module
 */

import { registerHooks } from "node:module";

const SHIM = "@bytecodealliance/preview2-shim";

/** To be called once, before the transpiler is imported. */
export function usePowerlessShim(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!specifier.startsWith(`${SHIM}/`)) return nextResolve(specifier, context);
      const conditions = context.conditions.filter((condition) => condition !== "node");
      return nextResolve(specifier, { ...context, conditions });
    },
  });
}
