/**
 * Sends a command again while that can help and somebody waits for it. The driver's rules say which errors these are;
 * how often is bounded by time alone, as its specification of client-side timeouts has it: a primary that dies, comes
 * back and is elected breaks more than one attempt.
 *
 * The first retry goes at once and waits, within the driver, for a primary. Later ones leave a growing pause.
 *
 * Only for commands that do the same however often they are sent: reads, and writes that the server recognises.
 *
 * @see https://github.com/mongodb/specifications/blob/master/source/client-side-operations-timeout
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { MongoErrorLabel, MongoServerError } from "mongodb";

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;

/**
 * The first reply. Rejects with the error of an attempt that may have done something, if there was one: of several
 * the last one's.
 *
 * @param deadline when nobody waits any more, in milliseconds as `performance.now()` counts them
 */
export async function retriedUntil<Reply>(
  deadline: number,
  isRetryable: (error: unknown) => boolean,
  attempt: () => Promise<Reply>,
): Promise<Reply> {
  let told: unknown;
  for (let pauseMs = 0; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2 || FIRST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      // An attempt that is known to have done nothing says nothing of those before it.
      if (told === undefined || !didNothing(error)) told = error;
      if (!isRetryable(error) || performance.now() + pauseMs >= deadline) throw told;
    }
    if (pauseMs > 0) await pause(pauseMs);
  }
}

function didNothing(error: unknown): boolean {
  return error instanceof MongoServerError && error.hasErrorLabel(MongoErrorLabel.NoWritesPerformed);
}
