/**
 * Grants time slices to one of many users of a thread.
 *
 * @module
 */

/** Deals out turns: how long one may go on in a row before others have the thread. Times are `performance.now()`. */
export interface Pace {
  /** How long it may go on from now, in milliseconds; 0: not now. */
  turnMs(nowMs: number): number;
  /** It did, for so long. */
  spend(spentMs: number, nowMs: number): void;
  /** Calls back, once, when there may be another turn; the result takes that back. */
  rest(callback: () => void): () => void;
}
