/**
 * Tells whether a command was sent, and keeps one that nobody waits for any more from being sent.
 *
 * The driver reports both "no server was found" and "the first attempt was lost, and then no server was
 * found for the retry" by the same error, and it cannot be told to give up a write that still waits for a
 * server or a connection. Both decide whether "nothing was written" is true. BSON asks a value that has a
 * `toBSON` method for its content at the moment a command is serialised, which the driver does on the
 * connection it is about to write to: so a command whose `_id` is a {@link Dispatch} says when it leaves,
 * and can refuse to.
 *
 * @module
 */

import { HostError } from "../../errors/host-error.ts";

/** The document id of one command, handed to the driver in the place of the string it stands for. */
export class Dispatch {
  readonly #id: string;
  #sends = 0;
  #state: "waited-for" | "abandoned" = "waited-for";

  constructor(id: string) {
    this.#id = id;
  }

  /** How often the driver serialised the command: 0 means that no server can have seen it; 2 is a retry. */
  get sends(): number {
    return this.#sends;
  }

  /** From now on the command is not sent, and not sent again. */
  abandon(): void {
    this.#state = "abandoned";
  }

  /** Called by BSON while it serialises a command. */
  toBSON(): string {
    if (this.#state === "abandoned") throw new HostError("store-unavailable", "the operation's time was over");
    this.#sends += 1;
    return this.#id;
  }
}
