/**
 * Closes what a replica has opened, last first. Each step is bounded in time, and the others run also where one fails or
 * hangs.
 *
 * @module
 */

/** Closes one thing. When `signal` aborts, it must stop waiting. */
export type ClosingStep = (signal: AbortSignal) => PromiseLike<void>;

export interface ClosingOptions {
  /** The moment by which everything should be closed, in the time of `performance.now()`. */
  readonly untilMs: number;
  /** The time that each step has at least, even after `untilMs`. */
  readonly leastMs: number;
  /** Called for a step that failed or was late. */
  readonly failed: (what: string, error: unknown) => void;
}

/** The steps that close what a replica has opened. */
export class Closing {
  readonly #steps: { readonly what: string; readonly step: ClosingStep }[] = [];

  /** Adds a step that disposes of the resource. */
  own<Resource extends AsyncDisposable>(what: string, resource: Resource): Resource {
    this.defer(what, () => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(what: string, step: ClosingStep): void {
    this.#steps.push({ what, step });
  }

  /** Runs all steps. Never rejects. A further call runs the steps that were added meanwhile. */
  async close({ untilMs, leastMs, failed }: ClosingOptions): Promise<void> {
    for (let next = this.#steps.pop(); next !== undefined; next = this.#steps.pop()) {
      const { what, step } = next;
      try {
        const timeMs = Math.max(leastMs, untilMs - performance.now());
        if ((await within(timeMs, step)) === "late")
          failed(what, new Error(`not closed within ${Math.round(timeMs)} ms`));
      } catch (error) {
        failed(what, error);
      }
    }
  }
}

/** Runs a step and waits for it, at most `timeMs` milliseconds. Rejects where the step rejects. */
export async function within(timeMs: number, step: ClosingStep): Promise<"done" | "late"> {
  const late = new AbortController();
  const over = Promise.withResolvers<"late">();
  const timer = setTimeout(() => {
    late.abort();
    over.resolve("late");
  }, timeMs);
  try {
    return await Promise.race([step(late.signal).then((): "done" => "done"), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
