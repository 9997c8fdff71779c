/**
 * Whether the connection to NATS carries messages now, and a promise for when it ceases to.
 *
 * @module
 */

/**
 * - `up`: it carries messages, as far as the last round trip tells.
 * - `stalled`: connected, but the server, or what reads from it, says nothing.
 * - `down`: not connected; the client tries again by itself.
 * - `closed`: ended permanently.
 */
export type LinkStateName = "up" | "stalled" | "down" | "closed";

/** What the parts of the link may know of it. */
export interface LinkView {
  readonly state: LinkStateName;
  /** Resolves when the state is not `up`: at once where it is not. */
  whenNotUp(): Promise<void>;
}

export class LinkState implements LinkView {
  #state: LinkStateName = "up";
  #sinceMs = Date.now();
  #left: PromiseWithResolvers<void> | undefined;

  get state(): LinkStateName {
    return this.#state;
  }

  /** When it came into its state, as `Date.now()` counts. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Answers whether that is a change. What has been closed stays closed. */
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
