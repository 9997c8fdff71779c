/**
 * One timer for many due times: it fires at the soonest of them. Does not keep the process alive.
 *
 * @module
 */

export class SoonestTimer {
  readonly #fire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #state: "open" | "stopped" = "open";

  /** `fire` handles what is due, and calls {@link within} for what is not due yet. */
  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** Makes it fire in `delayMs` at the latest. */
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
