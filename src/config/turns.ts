/**
 * Lets others have the thread between two pieces of a long piece of work, such as ten thousand files to parse.
 *
 * @module
 */

import { setImmediate as othersTurn } from "node:timers/promises";

/** What is done without a pause, at most, beside the one piece that is under way. */
const TURN_MS = 2;

export class Turns {
  #sinceMs = performance.now();

  /** Does a piece: at once where little was done since the others had their turn. */
  async run<Result>(piece: () => Result): Promise<Result> {
    while (performance.now() - this.#sinceMs > TURN_MS) {
      // Of several that wait, the first one begins the next turn and those that find it used up wait once more.
      const waitedFor = this.#sinceMs;
      await othersTurn();
      if (this.#sinceMs === waitedFor) this.#sinceMs = performance.now();
    }
    // Between the look at the clock and the piece nobody else may begin one.
    return piece();
  }
}
