/**
 * Lets others have the thread between two pieces of a long piece of work, such as ten thousand files to parse.
 *
 * @module
 */

import { setImmediate as othersTurn } from "node:timers/promises";
import { TimeSlice } from "../scheduling/time-slice.ts";

/** What is done without a pause, at most, beside the one piece that is in flight. */
const TURN_MS = 2;

export class Turns {
  readonly #slice = new TimeSlice();

  constructor() {
    this.#slice.begin(performance.now(), TURN_MS);
  }

  /** Does a piece: at once where little was done since the others had their turn. */
  async run<Result>(piece: () => Result): Promise<Result> {
    while (this.#slice.isOver(performance.now())) {
      // Of several that wait, the first one begins the next turn and those that find it used up wait once more.
      const { startMs } = this.#slice;
      await othersTurn();
      if (this.#slice.startMs === startMs) this.#slice.begin(performance.now(), TURN_MS);
    }
    // Between the look at the clock and the piece nobody else may begin one.
    return piece();
  }
}
