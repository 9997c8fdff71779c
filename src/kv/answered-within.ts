/**
 * Bounds the time of a query to the store.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";

/** Settles as `answer` does, or rejects with `store-unavailable` when the time is over. What comes later is ignored. */
export async function answeredWithin(timeoutMs: number, answer: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<never>();
  const error = new HostError("store-unavailable", `the store did not answer in ${timeoutMs} ms`);
  const timer = setTimeout(() => over.reject(error), timeoutMs);
  try {
    await Promise.race([answer, over.promise]);
  } finally {
    clearTimeout(timer);
    // The loser of the race does not matter.
    answer.catch(() => undefined);
  }
}
