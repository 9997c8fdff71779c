/**
 * Lets only so many pieces of heavy work go on at a time; the others wait in the order they came. Whoever
 * asks bounds how many wait.
 *
 * @module
 */

export interface GateOptions {
  /** Pieces of work at a time. */
  readonly places: number;
  /** One that takes longer gives its place to the next: it waits for something, or is out to hold others up. */
  readonly holdMs?: number;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#free = options.places;
  }

  /** Does the work when there is a place. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let holds = true;
    const leave = (): void => {
      if (holds) this.#pass();
      holds = false;
    };
    const { holdMs } = this.#options;
    const timer = holdMs === undefined ? undefined : setTimeout(leave, holdMs).unref();
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** The place goes to who waits for longest. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
