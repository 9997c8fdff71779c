/**
 * Which of its two lives a module is in. A component is made by running the module once and keeping what that left in
 * memory; there is no host then, and a call of one ends the build. Requests come later, each to that same state.
 *
 * @module
 */

let serving = false;

/** Says that the host has called: from now on its functions are there. */
export function beginServing(): void {
  serving = true;
}

export function isServing(): boolean {
  return serving;
}
