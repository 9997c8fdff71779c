/**
 * The functions that a component may call even where it must not leave: while the host allocates in its memory, and in its
 * post-return. (By `may_leave` of the component model's `CanonicalABI.md`, it would trap.) It may read the time and check
 * whether an instant has come. None of these functions calls a guest, and none of them waits there.
 *
 * Go depends on them: its runtime may collect garbage whenever memory is allocated, and then reads its clocks and polls its
 * timers.
 *
 * @module
 */

import { withoutVersion } from "../../contract/interface-names.ts";
import type { PlanResource } from "../../contract/link-plan.ts";
import { createTrap } from "../guest/trap.ts";

const MONOTONIC_CLOCK = "wasi:clocks/monotonic-clock";
const WALL_CLOCK = "wasi:clocks/wall-clock";
const POLL = "wasi:io/poll";

const FUNCTIONS: ReadonlySet<string> = new Set([
  `${WALL_CLOCK}#now`,
  `${WALL_CLOCK}#resolution`,
  `${MONOTONIC_CLOCK}#now`,
  `${MONOTONIC_CLOCK}#resolution`,
  `${MONOTONIC_CLOCK}#subscribe-instant`,
  `${MONOTONIC_CLOCK}#subscribe-duration`,
  `${POLL}#poll`,
]);

/** Is this import one of these functions? `interfaceId` has no version. */
export function tellsTime(interfaceId: string, name: string): boolean {
  return FUNCTIONS.has(`${interfaceId}#${name}`);
}

/** May a component drop a handle to this resource even where it must not leave? */
export function isPollable(resource: PlanResource): boolean {
  return resource.kind === "imported" && resource.name === "pollable" && withoutVersion(resource.interface) === POLL;
}

/** The result of a poll where the guest must not wait. Traps where the poll would wait. */
export function atOnce(result: unknown): unknown {
  if (result instanceof Promise) throw createTrap("a component waits where it must not");
  return result;
}
