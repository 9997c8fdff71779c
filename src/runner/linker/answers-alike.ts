/**
 * What the host tells a guest before its first call. Whatever differs from instance to instance (the time, a random
 * value, and later a configuration or a secret) may have become part of the guest's state, and would come back with
 * it in every later request. So an instance that was told anything is not put back. The exceptions are named here and by capabilities:
 * functions that, called before the first call, answer every instance alike, at any time.
 *
 * A function that is not named counts as one that tells. Take a name off the list before its answer may differ.
 *
 * @module
 */

import { CAPABILITIES } from "../../capabilities/capabilities.ts";

/** Interfaces with all their functions, and single functions; without versions. */
export const ANSWER_ALIKE: ReadonlySet<string> = new Set([
  "wasi:cli/environment",
  "wasi:cli/stdin",
  "wasi:cli/stdout",
  "wasi:cli/stderr",
  "wasi:cli/terminal-stdin",
  "wasi:cli/terminal-stdout",
  "wasi:cli/terminal-stderr",
  "wasi:clocks/wall-clock#resolution",
  "wasi:clocks/monotonic-clock#resolution",
  "wasi:filesystem/preopens",
  // Before there is a call only standard streams lead anywhere, and those never wait.
  "wasi:io/streams",
  ...CAPABILITIES.flatMap(({ alike }) => alike),
]);

/** Does this function tell every instance the same before its first call? The interface is named without its version. */
export function answersAlike(interfaceId: string, name: string): boolean {
  return ANSWER_ALIKE.has(interfaceId) || ANSWER_ALIKE.has(`${interfaceId}#${name}`);
}
