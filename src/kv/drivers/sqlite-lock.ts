/**
 * Waiting for another process's lock. SQLite's own busy handler would sleep in the database's only thread,
 * and every other batch with it; here the wait is a timer, and a batch of reads passes one of writes that waits.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { isLocked } from "./sqlite-errors.ts";

/** First and longest pause between two attempts. Another process holds the lock for one statement, so milliseconds. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;

/**
 * Runs `attempt` until it meets no lock, at most for `timeoutMs`; then its last error is thrown. Any other
 * error is thrown at once. The first attempt is made before this function returns.
 */
export async function whileLocked<T>(timeoutMs: number, attempt: () => T): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let longestMs = FIRST_PAUSE_MS;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      const remainingMs = deadline - performance.now();
      if (!isLocked(error) || remainingMs <= 0) throw error;
      // Random, so that processes that met once do not meet again and again.
      const pauseMs = longestMs * (0.5 + Math.random() / 2);
      await pause(Math.min(pauseMs, remainingMs));
      longestMs = Math.min(longestMs * 2, LONGEST_PAUSE_MS);
    }
  }
}
