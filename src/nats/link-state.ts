/**
 * Whether the connection to NATS carries messages now, and a promise for when it stops doing so.
 *
 * @module
 */

/**
 * - `up`: it carries messages, as far as the last round trip shows.
 * - `stalled`: connected, but no message or answer gets through.
 * - `down`: not connected; the client tries again by itself.
 * - `closed`: ended permanently.
 */
export type LinkStateName = "up" | "stalled" | "down" | "closed";

/** What the other parts of the link see of it. */
export interface LinkView {
  readonly state: LinkStateName;
  /** Resolves when the state is no longer `up`; at once where it is not. */
  whenNotUp(): Promise<void>;
}

export class LinkState implements LinkView {
  #state: LinkStateName = "up";
  #sinceMs = Date.now();
  #left: PromiseWithResolvers<void> | undefined;

  get state(): LinkStateName {
    return this.#state;
  }

  /** When it entered its state, on the clock of `Date.now()`. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Returns whether the state changed. A closed link stays closed. */
  enter(state: LinkStateName): boolean {
    if (this.#state === state || this.#state === "closed") return false;
    this.#state = state;
    this.#sinceMs = Date.now();
    if (state !== "up") {
      this.#left?.resolve();
      this.#left = undefined;
    }
    return true;
  }

  whenNotUp(): Promise<void> {
    if (this.#state !== "up") return Promise.resolve();
    this.#left ??= Promise.withResolvers();
    return this.#left.promise;
  }
}
