/**
 * Closes what a replica has opened, last first. No step keeps the others waiting: each is bounded in time, and one that
 * fails or hangs does not skip the rest.
 *
 * @module
 */

/** Closes one thing. What it still waits for when `signal` aborts is waited for no more. */
export type ClosingStep = (signal: AbortSignal) => PromiseLike<void>;

export interface ClosingOptions {
  /** By then all should be closed, by `performance.now()`. */
  readonly untilMs: number;
  /** What a step has in any case. */
  readonly leastMs: number;
  /** A step failed, or was not done in its time. */
  readonly failed: (what: string, error: unknown) => void;
}

export class Closing {
  readonly #steps: { readonly what: string; readonly step: ClosingStep }[] = [];

  /** Closes the resource when all is closed. */
  own<Resource extends AsyncDisposable>(what: string, resource: Resource): Resource {
    this.defer(what, () => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(what: string, step: ClosingStep): void {
    this.#steps.push({ what, step });
  }

  /** Closes all of it. Never rejects. Called again, it closes what was opened meanwhile. */
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

/** Does it, and waits for it no longer than that. Rejects as it does. */
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
