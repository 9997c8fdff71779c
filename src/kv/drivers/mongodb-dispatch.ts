/**
 * The part of a command that names its values, made at the moment the command is sent.
 *
 * The driver reports both "no server was found" and "the first attempt was lost, and then no server was
 * found for the retry" by the same error, and it cannot be told to give up a command that still waits for a
 * server or a connection. Both decide whether "nothing was written" is true. BSON asks a value that has a
 * `toBSON` method for its content at the moment a command is serialised, which the driver does on the
 * connection it is about to write to: so a command with a {@link Dispatch} in it says when it leaves, leaves
 * out what nobody waits for any more, and refuses to leave for nobody.
 *
 * @module
 */

import { HostError } from "../../errors/host-error.ts";
import type { Entry } from "../entry.ts";

/** Is in a command for the entries that it is about. */
export class Dispatch<Result> {
  readonly #entries: readonly Entry<Result>[];
  readonly #contentOf: (entries: readonly Entry<Result>[]) => unknown;
  #sent: readonly Entry<Result>[] = [];

  /** @param contentOf makes what is in the command */
  constructor(entries: readonly Entry<Result>[], contentOf: (entries: readonly Entry<Result>[]) => unknown) {
    this.#entries = entries;
    this.#contentOf = contentOf;
  }

  /** What the command was sent with, in its order; nothing as long as no server can have seen it. */
  get sent(): readonly Entry<Result>[] {
    return this.#sent;
  }

  /** Called by BSON while it serialises a command. A retry has the same entries: a server counts them. */
  toBSON(): unknown {
    const waited = this.#entries.filter((entry) => entry.isWaitedFor);
    if (waited.length === 0) throw new HostError("store-unavailable", "the operation's time was over");
    if (this.#sent.length === 0) this.#sent = waited;
    for (const entry of this.#sent) entry.send();
    return this.#contentOf(this.#sent);
  }
}
