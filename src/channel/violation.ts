/**
 * A violation of the rules by the other side of a channel: a frame that breaks the layout, or a message that the protocol
 * does not allow. Functions return it, up to the channel, which ends the connection; nothing throws it.
 *
 * @module
 */

/** A broken rule. Code that gets one ignores all further messages of this peer. */
export class Violation {
  /** Private, so that no look-alike has this type: code narrows unions with it by `instanceof`. */
  readonly #reason: string;

  /** `reason` is a part of a sentence for the log. */
  constructor(reason: string) {
    this.#reason = reason;
  }

  get reason(): string {
    return this.#reason;
  }
}
