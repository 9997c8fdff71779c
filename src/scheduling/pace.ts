/**
 * Grants time slices to one of many users of a thread.
 *
 * @module
 */

/**
 * Deals out turns: how long a user may work in a row before others get the thread. Times are those of
 * `performance.now()`.
 */
export interface Pace {
  /** How long the user may work from now, in milliseconds; 0: not now. */
  turnMs(nowMs: number): number;
  /** The user worked for `spentMs`. */
  spend(spentMs: number, nowMs: number): void;
  /** Calls back once, when there may be another turn. The returned function cancels that. */
  rest(callback: () => void): () => void;
}
