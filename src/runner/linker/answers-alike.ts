/**
 * Functions that, called before an instance's first call, answer every instance alike at any time. An answer that differs
 * from instance to instance (the time, a random value, and later a configuration or a secret) may become part of the
 * guest's state, and putting the instance back would repeat it in every later request. So an instance that got any
 * answer before its first call is not put back. This list and the capabilities name the exceptions.
 *
 * Any other function counts as one whose answers differ. Take a name off the list before its answers may differ.
 *
 * @module
 */

import { CAPABILITIES } from "../../capabilities/capabilities.ts";

/** Whole interfaces, and single functions; names without versions. */
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
  // Before the first call a guest has only the standard streams, and those never wait.
  "wasi:io/streams",
  ...CAPABILITIES.flatMap(({ alike }) => alike),
]);

/** Does this function answer every instance alike before its first call? `interfaceId` has no version. */
export function answersAlike(interfaceId: string, name: string): boolean {
  return ANSWER_ALIKE.has(interfaceId) || ANSWER_ALIKE.has(`${interfaceId}#${name}`);
}
