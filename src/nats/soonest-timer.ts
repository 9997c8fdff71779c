/**
 * One timer for many things that are due: it fires for the soonest of them. Keeps no process running.
 *
 * @module
 */

export class SoonestTimer {
  readonly #fire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #state: "open" | "stopped" = "open";

  /** `fire` looks for what is due, and calls {@link within} for what is not. */
  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** Fires after so long, unless it fires sooner. */
  within(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#state === "stopped" || atMs >= this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(() => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#fire();
    }, delayMs).unref();
  }

  /** Stops permanently. */
  stop(): void {
    this.#state = "stopped";
    clearTimeout(this.#timer);
  }
}
