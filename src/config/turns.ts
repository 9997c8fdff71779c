/**
 * Yields the thread between the pieces of long work, such as parsing ten thousand files.
 *
 * @module
 */

import { setImmediate as othersTurn } from "node:timers/promises";
import { TimeSlice } from "../scheduling/time-slice.ts";

/** The longest stretch of work without a pause, apart from the piece in progress. */
const TURN_MS = 2;

export class Turns {
  readonly #slice = new TimeSlice();

  constructor() {
    this.#slice.begin(performance.now(), TURN_MS);
  }

  /** Does a piece: at once if little work was done since the last yield. */
  async run<Result>(piece: () => Result): Promise<Result> {
    while (this.#slice.isOver(performance.now())) {
      // Of several waiting pieces, the first begins the next turn; those that find it used up wait again.
      const { startMs } = this.#slice;
      await othersTurn();
      if (this.#slice.startMs === startMs) this.#slice.begin(performance.now(), TURN_MS);
    }
    // No other piece may begin between the look at the clock and this piece.
    return piece();
  }
}
