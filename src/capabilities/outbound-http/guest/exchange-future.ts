/**
 * The common part of the futures of `wasi:http/types`: each is a guest's handle for a part of an exchange that arrives
 * later, and returns it once.
 *
 * @module
 */

import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import { err, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { HOST_ONLY } from "../../../runner/guest/namespaces.ts";
import { Pollable } from "../../../runner/wasi/poll.ts";

/** The `err` of a `result` without a payload. */
export const REFUSED: Result<never, undefined> = Object.freeze(err(undefined));

/** The state of a future that a guest holds. It counts as a handle until it is closed. */
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

  /** `undefined` until it is ready, then once what `answer` makes, and a refusal from then on. */
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
