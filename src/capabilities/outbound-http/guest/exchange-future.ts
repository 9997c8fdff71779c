/**
 * What the futures of `wasi:http/types` have in common: each is a guest's handle on a part of an exchange that comes
 * later, and gives it away once.
 *
 * @module
 */

import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import { err, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { HOST_ONLY } from "../../../runner/guest/namespaces.ts";
import { Pollable } from "../../../runner/wasi/poll.ts";

/** The `result` without a payload that says no. */
export const REFUSED: Result<never, undefined> = Object.freeze(err(undefined));

/** Kept by the future that a guest holds. It counts as a handle until it is closed. */
export class ExchangeFuture {
  readonly #context: GuestContext;
  readonly #isReady: () => boolean;
  #state: "waiting" | "taken" = "waiting";

  constructor(context: GuestContext, isReady: () => boolean) {
    context.openHandle();
    this.#context = context;
    this.#isReady = isReady;
  }

  get isTaken(): boolean {
    return this.#state === "taken";
  }

  subscribe(): Pollable {
    return new Pollable(HOST_ONLY, this.#context, this.#isReady);
  }

  /** What `answer` makes, the first time that it is ready; a refusal from then on. */
  take<Answer>(answer: () => Answer): Result<Answer, undefined> | undefined {
    if (!this.#isReady()) return undefined;
    if (this.#state === "taken") return REFUSED;
    this.#state = "taken";
    return ok(answer());
  }

  close(): void {
    this.#context.closeHandle();
  }
}
