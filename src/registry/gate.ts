/**
 * Limits how much heavy work runs at a time; the rest waits in order of arrival. Callers bound how many wait.
 *
 * @module
 */

import { WeightedSemaphore } from "../scheduling/weighted-semaphore.ts";

export interface GateOptions {
  /** Pieces of work at a time. */
  readonly places: number;
  /** Work that takes longer gives its place to the next: it waits for something, or tries to delay others. */
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
