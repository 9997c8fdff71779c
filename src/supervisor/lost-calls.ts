/**
 * Ends the calls of a process that is gone. Each gets a reply and a record, hundreds of them at the same moment: they
 * take the turns of their plugin like whatever else is done for it.
 *
 * @module
 */

import type { Pace } from "../channel/channel.ts";
import type { Outcome } from "../contract/request.ts";
import type { RunnerCall } from "./runner-call.ts";

/** Settles all of them, in order, the first ones before it returns. */
export function settleLost(calls: readonly RunnerCall[], outcome: Outcome, pace: Pace): void {
  let nowMs = performance.now();
  const endMs = nowMs + pace.turnMs(nowMs);
  let settled = 0;
  while (settled < calls.length && nowMs < endMs) {
    calls[settled]?.settle(outcome);
    settled += 1;
    const afterMs = performance.now();
    pace.spend(afterMs - nowMs, afterMs);
    nowMs = afterMs;
  }
  if (settled < calls.length) pace.rest(() => settleLost(calls.slice(settled), outcome, pace));
}
