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
  /** Is a replica without it of no use? */
  readonly need: "required" | "optional";
  readonly deliver: (message: Msg) => void;
}

/** The state of a subject. */
export type SubscriptionState =
  /** The server has not said anything yet, or there is no connection. */
  | { readonly kind: "asked" }
  | { readonly kind: "held" }
  /** It is asked for again at `nextTryMs`, by `performance.now()`. */
  | { readonly kind: "refused"; readonly reason: string; readonly nextTryMs: number }
  /** By this side. */
  | { readonly kind: "ended" };

/** One subject. What is not readonly is the set's to change. */
export class HeldSubscription {
  readonly plan: SubscriptionPlan;
  readonly #drain: (subscription: HeldSubscription) => Promise<void>;
  readonly #verdict = Promise.withResolvers<void>();
  state: SubscriptionState = { kind: "asked" };
  /** The client's own, from when it is sent until it is refused. */
  client: Subscription | undefined;
  /** Refusals in a row. */
  tries = 0;
  /** Why it was refused last, until it is held. */
  refusal: string | undefined;

  constructor(plan: SubscriptionPlan, drain: (subscription: HeldSubscription) => Promise<void>) {
    this.plan = plan;
    this.#drain = drain;
  }

  /** Resolves when the server has said yes or no, or when it is ended. */
  get verdict(): Promise<void> {
    return this.#verdict.promise;
  }

  /** Takes no new messages; resolves when those that were on their way have been delivered, or cannot be any more. */
  drain(): Promise<void> {
    return this.#drain(this);
  }

  enter(state: SubscriptionState): void {
    this.state = state;
    if (state.kind !== "asked") this.#verdict.resolve();
  }
}
