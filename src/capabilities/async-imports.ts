/**
 * The imports that may suspend a guest. The compiler passes them to the code generator (`asyncImports`, with
 * the mode `jspi`), the runner's implementations of them return promises; a name that stands on one side only
 * either hands a promise to a guest as its result or never suspends.
 *
 * Names carry no version, since the generator matches them without one. Everything that is not listed returns
 * at once, and a call that cannot suspend also works where suspending is impossible (while a component is
 * instantiated, or beneath another component's adapter). So what
 * a capability lets suspend does so in the components that import it, and in no others.
 *
 * A change of these lists changes the generated code: it belongs into the engine's key of an artifact.
 *
 * @module
 */

import { CAPABILITIES } from "./capabilities.ts";

/** Of no capability. */
const POLL: readonly string[] = ["wasi:io/poll#poll", "wasi:io/poll#[method]pollable.block"];

/**
 * Imports that return a promise, as `interface#function` without versions, for a component that imports
 * `interfaces` (with or without versions).
 */
export function asyncImports(interfaces: readonly string[]): string[] {
  const imported = new Set(interfaces.map((name) => name.replace(/@.*$/, "")));
  const used = CAPABILITIES.filter((capability) => capability.interfaces.some((name) => imported.has(name)));
  return [...POLL, ...used.flatMap(({ suspending }) => suspending)];
}
