/**
 * A subject that a replica listens on, and its state. `subscription-set.ts` moves it from state to state.
 *
 * @module
 */

import type { Msg, Subscription } from "nats";

/** A subject to listen on. */
export interface SubscriptionPlan {
  readonly subject: string;
  readonly queue?: string;
  /** May the replica do without it? */
  readonly need: "required" | "optional";
  readonly deliver: (message: Msg) => void;
}

/** The state of a subject. */
export type SubscriptionState =
  /** The server has not answered yet, or there is no connection. */
  | { readonly kind: "asked" }
  | { readonly kind: "held" }
  /** The next try is at `nextTryMs`, a time of `performance.now()`. */
  | { readonly kind: "refused"; readonly reason: string; readonly nextTryMs: number }
  /** The replica itself ended it. */
  | { readonly kind: "ended" };

/** One subject. Only the `SubscriptionSet` changes its mutable fields. */
export class HeldSubscription {
  readonly plan: SubscriptionPlan;
  readonly #drain: (subscription: HeldSubscription) => Promise<void>;
  readonly #verdict = Promise.withResolvers<void>();
  state: SubscriptionState = { kind: "asked" };
  /** The client's subscription, from when it is sent until it is refused. */
  client: Subscription | undefined;
  /** Refusals in a row. */
  tries = 0;
  /** Why the server refused it last; unset once it is held. */
  refusal: string | undefined;

  constructor(plan: SubscriptionPlan, drain: (subscription: HeldSubscription) => Promise<void>) {
    this.plan = plan;
    this.#drain = drain;
  }

  /** Resolves when the server has accepted or refused it, or when it has ended. */
  get verdict(): Promise<void> {
    return this.#verdict.promise;
  }

  /** Stops taking new messages. Resolves when those already on their way have been delivered, or cannot be any more. */
  drain(): Promise<void> {
    return this.#drain(this);
  }

  enter(state: SubscriptionState): void {
    this.state = state;
    if (state.kind !== "asked") this.#verdict.resolve();
  }
}
