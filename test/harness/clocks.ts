/**
 * Clocks that a busy machine does not spoil: what a test measures by them is what the code under test took, and not
 * what others took of the processor meanwhile.
 *
 * @module
 */

const MICROS_PER_MS = 1_000;

/** Milliseconds that this thread was on a processor so far: for code that computes and waits for nothing. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / MICROS_PER_MS;
}

const TICK_MS = 10;
/** A turn of the event loop that was longer stands for a process that stalled. */
const LONGEST_TURN_MS = 3 * TICK_MS;

/**
 * Time that passed while this process ran: it stops when the process does. For what waits within this process.
 * One that waits in vain is seen by it as by any other clock.
 */
export class OwnTime implements Disposable {
  readonly #timer = setInterval(() => this.#tick(), TICK_MS);
  #elapsedMs = 0;
  #lastMs = performance.now();

  get elapsedMs(): number {
    this.#tick();
    return this.#elapsedMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#elapsedMs += Math.min(nowMs - this.#lastMs, LONGEST_TURN_MS);
    this.#lastMs = nowMs;
  }
}

/** How long some work takes, in milliseconds. */
export async function took(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

const TRIES = 10;

/**
 * The smallest of some measurements: what was larger may be the machine's, but what was small once need not be larger.
 * Ends with the first one within the bound.
 */
export async function smallestOf(bound: number, measure: () => Promise<number>): Promise<number> {
  let smallest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && smallest > bound; tries += 1) smallest = Math.min(smallest, await measure());
  return smallest;
}
