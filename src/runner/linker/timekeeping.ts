/**
 * What a component may do even where it must call nothing: while the host allocates in its memory, and after its
 * call has returned. (By the component model's `CanonicalABI.md`, `may_leave`, it would trap.) It may tell the time
 * and look whether an instant has come. None of this calls a guest, and none of it waits there.
 *
 * Go depends on it: its runtime may collect garbage whenever memory is allocated, and then reads its clocks and polls
 * its timers.
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

/** Does this import tell the time? The interface is named without its version. */
export function tellsTime(interfaceId: string, name: string): boolean {
  return FUNCTIONS.has(`${interfaceId}#${name}`);
}

/** May a handle to it be dropped wherever time may be told? */
export function isPollable(resource: PlanResource): boolean {
  return resource.kind === "imported" && resource.name === "pollable" && withoutVersion(resource.interface) === POLL;
}

/** What a poll gave, where the guest must not wait. */
export function atOnce(result: unknown): unknown {
  if (result instanceof Promise) throw createTrap("a component waits where it must not");
  return result;
}
