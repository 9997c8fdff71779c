/**
 * What the other side of a channel did against the rules: a frame that breaks the layout, or a message that the
 * protocol does not allow. It is returned, up to the channel, which ends the connection; nothing throws it.
 *
 * @module
 */

/** A broken rule. Whoever gets one acts on nothing more that this peer says. */
export class Violation {
  /** Keeps a look-alike from being one: unions with it are told apart by `instanceof`. */
  readonly #reason: string;

  /** `reason` is a part of a sentence for the log. */
  constructor(reason: string) {
    this.#reason = reason;
  }

  get reason(): string {
    return this.#reason;
  }
}
