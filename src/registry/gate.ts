/**
 * Lets only so many pieces of heavy work go on at a time; the others wait in the order they came. Whoever
 * asks bounds how many wait.
 *
 * @module
 */

import { WeightedSemaphore } from "../scheduling/weighted-semaphore.ts";

export interface GateOptions {
  /** Pieces of work at a time. */
  readonly places: number;
  /** One that takes longer gives its place to the next: it waits for something, or is out to hold others up. */
  readonly holdMs?: number;
}

export class Gate {
  readonly #places: WeightedSemaphore;
  readonly #holdMs: number | undefined;

  constructor({ places, holdMs }: GateOptions) {
    this.#places = new WeightedSemaphore(places);
    this.#holdMs = holdMs;
  }

  /** Does the work when there is a place. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!this.#places.tryAcquire(1)) await new Promise<void>((admit) => this.#places.acquire({ weight: 1, admit }));
    let holds = true;
    const leave = (): void => {
      if (holds) this.#places.release(1);
      holds = false;
    };
    const timer = this.#holdMs === undefined ? undefined : setTimeout(leave, this.#holdMs).unref();
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }
}
