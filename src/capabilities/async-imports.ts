/**
 * The imports that may suspend a guest. The compiler passes them to the code generator (`asyncImports`, with the mode
 * `jspi`), and the runner's implementations of them return promises. If only one side has a name, the guest gets a promise
 * as its result, or the import never suspends.
 *
 * Names have no version, because the generator matches them without one. All other imports return at once. A call that
 * cannot suspend also works where suspending is impossible: while a component is instantiated, or below another component's
 * adapter. So the imports of a capability suspend only in components that import the capability.
 *
 * A change of these lists changes the generated code, so it must change the engine's key, too: `engine-key.ts` reads them.
 *
 * @module
 */

import { withoutVersion } from "../contract/interface-names.ts";
import { CAPABILITIES } from "./capabilities.ts";

/** The suspending imports that belong to no capability. */
const POLL: readonly string[] = ["wasi:io/poll#poll", "wasi:io/poll#[method]pollable.block"];

/**
 * Imports that return a promise, as `interface#function` without versions, for a component that imports
 * `interfaces` (with or without versions).
 */
export function asyncImports(interfaces: readonly string[]): string[] {
  const imported = new Set(interfaces.map(withoutVersion));
  const used = CAPABILITIES.filter((capability) => capability.interfaces.some((name) => imported.has(name)));
  return [...POLL, ...used.flatMap(({ suspending }) => suspending)];
}
