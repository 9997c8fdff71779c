/**
 * The subjects that a replica listens on, and the server's answer to each. The client takes a refusal for the end of a
 * subscription and never sends it again. This class asks again for a subject that the server refused, or ended later:
 * with back-off, and at each reconnect.
 *
 * It matches refusals to subscriptions as follows. Subscriptions are sent in rounds, all of one round together,
 * followed by a question (PING); the next round waits for the answer. The server reports every refusal in a round
 * before that answer: with the subject where a permission is missing, and without one where the connection has reached
 * its limit of subscriptions. That limit, once reached, stays so for the rest of a round, so its refusals concern the
 * last subscriptions. The server holds all those that it has not refused by then. The client's own repetition after a
 * reconnect is such a round, too.
 *
 * Callbacks are guarded: an exception would end the client's reader, and the replica would receive nothing more.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import { HostError } from "../errors/host-error.ts";
import type { SubscriptionStateName } from "../telemetry/nats-stats.ts";
import { HeldSubscription, type SubscriptionPlan } from "./held-subscription.ts";
import type { PermissionRefusal } from "./status-watch.ts";
import type { LinkView } from "./link-state.ts";
import { SoonestTimer } from "./soonest-timer.ts";

/** Each change is reported once, and those of one round together. */
export interface SubscriptionEvents {
  refused(subscriptions: readonly HeldSubscription[]): void;
  /** The server now holds these, which it had refused. */
  restored(subscriptions: readonly HeldSubscription[]): void;
  /** A callback threw. */
  callbackFailed(subject: string, error: unknown): void;
}

export interface SubscriptionSetOptions {
  readonly connection: Pick<NatsConnection, "subscribe" | "flush">;
  readonly link: LinkView;
  readonly events: SubscriptionEvents;
}

/** Used instead of the server's message, which names the subject and differs with each try. */
const NO_PERMISSION = "no permission";

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** How many refused subjects are retried at a time, and how soon the next ones may follow. */
const MAX_RETRIED = 512;
const MIN_PAUSE_MS = 100;

export class SubscriptionSet {
  readonly #parts: SubscriptionSetOptions;
  readonly #byKey = new Map<string, HeldSubscription>();
  /** To be sent in the next round. */
  #unsent: HeldSubscription[] = [];
  /** What the client has sent again after a reconnect, in its order. */
  #resent: readonly HeldSubscription[] | undefined;
  #rounds: "idle" | "running" = "idle";
  /** Refusals of this round that name no subject. */
  #unnamed: string[] = [];
  /** When this round was first refused something: what it was refused is tried again together. */
  #firstRefusalMs: number | undefined;
  readonly #retry = new SoonestTimer(() => this.#tryAgain());
  #changed = new Set<HeldSubscription>();
  #allHeld: PromiseWithResolvers<void> | undefined;
  #state: "open" | "closed" = "open";

  constructor(parts: SubscriptionSetOptions) {
    this.#parts = parts;
  }

  /** Subscribes to these subjects. Throws `internal` for one that is in the set already. */
  open(plans: readonly SubscriptionPlan[]): readonly HeldSubscription[] {
    const opened = plans.map((plan) => {
      const key = keyOf(plan);
      if (this.#byKey.has(key)) throw new HostError("internal", `${plan.subject} is subscribed to already`);
      const subscription = new HeldSubscription(plan, (drained) => this.#drain(drained));
      this.#byKey.set(key, subscription);
      return subscription;
    });
    this.#unsent.push(...opened);
    this.#run();
    return opened;
  }

  /** The required subjects that the server has not confirmed. */
  unheld(): readonly HeldSubscription[] {
    return [...this.#byKey.values()].filter(({ plan, state }) => plan.need === "required" && state.kind !== "held");
  }

  /** The optional subjects that the server has refused. */
  refusedOptions(): readonly HeldSubscription[] {
    return [...this.#byKey.values()].filter(({ plan, refusal }) => plan.need === "optional" && refusal !== undefined);
  }

  counts(): Readonly<Record<SubscriptionStateName, number>> {
    const counts = { asked: 0, held: 0, refused: 0 };
    for (const { state } of this.#byKey.values()) if (state.kind !== "ended") counts[state.kind] += 1;
    return counts;
  }

  /** Resolves when the server holds every required subject. */
  async whenHeld(): Promise<void> {
    if (this.unheld().length === 0) return;
    this.#allHeld ??= Promise.withResolvers();
    await this.#allHeld.promise;
  }

  /** Stops subscribing. Messages still arrive until the subjects are drained or the connection is closed. */
  close(): void {
    this.#state = "closed";
    this.#retry.stop();
    this.#unsent = [];
  }

  /** The server holds nothing any more. */
  disconnected(): void {
    for (const subscription of this.#byKey.values()) {
      if (subscription.state.kind === "held") subscription.enter({ kind: "asked" });
    }
  }

  /** The client has sent its own subscriptions again; asks for the rest as well. */
  reconnected(): void {
    const unsent = new Set(this.#unsent);
    const all = [...this.#byKey.values()].filter((subscription) => !unsent.has(subscription));
    const isLive = ({ client }: HeldSubscription): boolean => client !== undefined && !client.isClosed();
    this.#resent = all.filter(isLive).sort((a, b) => (a.client?.getID() ?? 0) - (b.client?.getID() ?? 0));
    const rest = all.filter((subscription) => !isLive(subscription));
    for (const subscription of rest) subscription.tries = 0;
    this.#ask(rest);
    this.#run();
  }

  /** The server refused a subscription, or ended one that it held. */
  permissionRefused({ subject, queue }: Pick<PermissionRefusal, "subject" | "queue">): void {
    // Some servers leave the queue group out where they end a subscription.
    const named =
      this.#byKey.get(keyOf({ subject, queue })) ??
      [...this.#byKey.values()].find(({ plan }) => queue === undefined && plan.subject === subject);
    if (named !== undefined) this.#refuse(named, NO_PERMISSION);
  }

  /** The server refused one subscription of the round, and does not say which. */
  tooManySubscriptions(message: string): void {
    this.#unnamed.push(message);
  }

  /** See {@link HeldSubscription.drain}. */
  async #drain(subscription: HeldSubscription): Promise<void> {
    const { client } = subscription;
    this.#forget(subscription);
    if (client === undefined || client.isClosed()) return;
    if (this.#parts.link.state === "down" || this.#parts.link.state === "closed") {
      client.unsubscribe();
      return;
    }
    // If the connection recovers, what is on its way still arrives.
    const drained = client.drain().catch(() => client.unsubscribe());
    await Promise.race([drained, this.#parts.link.whenNotUp()]);
  }

  #forget(subscription: HeldSubscription): void {
    if (subscription.state.kind === "ended") return;
    subscription.enter({ kind: "ended" });
    this.#byKey.delete(keyOf(subscription.plan));
    this.#noteHeld();
  }

  #run(): void {
    if (this.#rounds === "running" || this.#state === "closed") return;
    this.#rounds = "running";
    void this.#runRounds().finally(() => (this.#rounds = "idle"));
  }

  async #runRounds(): Promise<void> {
    for (;;) {
      const round = this.#takeRound();
      if (round === undefined) return;
      this.#unnamed = [];
      if (await this.#isAnswered()) this.#conclude(round);
      this.#firstRefusalMs = undefined;
      this.#tellAll();
    }
  }

  /**
   * The subscriptions that the next answer is about, in the order in which they were sent; undefined where there are
   * none.
   */
  #takeRound(): readonly HeldSubscription[] | undefined {
    const resent = this.#resent;
    this.#resent = undefined;
    if (resent !== undefined) return resent;
    // While there is no connection the client would send them twice: now and after the reconnect.
    if (this.#parts.link.state === "down" || this.#parts.link.state === "closed") return undefined;
    const round = this.#unsent.filter(({ state }) => state.kind === "asked");
    this.#unsent = [];
    if (round.length === 0) return undefined;
    for (const subscription of round) this.#send(subscription);
    return round;
  }

  #send(subscription: HeldSubscription): void {
    const { plan } = subscription;
    const { connection, events } = this.#parts;
    try {
      subscription.client = connection.subscribe(plan.subject, {
        ...(plan.queue !== undefined && { queue: plan.queue }),
        callback: (error, message) => {
          // The client reports only some refusals here; `permissionRefused` gets all of them.
          if (error !== null) return;
          try {
            plan.deliver(message);
          } catch (thrown) {
            events.callbackFailed(plan.subject, thrown);
          }
        },
      });
    } catch (thrown) {
      // The connection is closed or drains.
      this.#refuse(subscription, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  async #isAnswered(): Promise<boolean> {
    try {
      await this.#parts.connection.flush();
    } catch {
      // Disconnected: the client sends them again, and a round follows that.
      return false;
    }
    // Refusals arrive by another path than answers, but within this turn of the event loop.
    const turn = Promise.withResolvers<void>();
    setImmediate(() => turn.resolve());
    await turn.promise;
    return this.#resent === undefined;
  }

  #conclude(round: readonly HeldSubscription[]): void {
    const unnamed = this.#unnamed;
    // Those refused by name do not count towards the limit. Those ended meanwhile did.
    const placed = round.filter(({ state }) => state.kind !== "refused");
    placed.forEach((subscription, index) => {
      if (subscription.state.kind !== "asked") return;
      const reason = unnamed[index - (placed.length - unnamed.length)];
      if (reason === undefined) this.#hold(subscription);
      else this.#refuse(subscription, reason);
    });
    this.#noteHeld();
  }

  #hold(subscription: HeldSubscription): void {
    subscription.enter({ kind: "held" });
    subscription.tries = 0;
    if (subscription.refusal === undefined) return;
    subscription.refusal = undefined;
    this.#tell(subscription);
  }

  #refuse(subscription: HeldSubscription, reason: string): void {
    const { client } = subscription;
    subscription.client = undefined;
    if (client !== undefined && !client.isClosed()) client.unsubscribe();
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** subscription.tries);
    subscription.tries += 1;
    if (this.#rounds === "running") this.#firstRefusalMs ??= performance.now();
    const refusedMs = this.#firstRefusalMs ?? performance.now();
    subscription.enter({ kind: "refused", reason, nextTryMs: refusedMs + delayMs });
    this.#retry.within(delayMs);
    if (subscription.refusal === reason) return;
    subscription.refusal = reason;
    this.#tell(subscription);
  }

  #ask(subscriptions: readonly HeldSubscription[]): void {
    for (const subscription of subscriptions) subscription.enter({ kind: "asked" });
    this.#unsent.push(...subscriptions);
  }

  #tryAgain(): void {
    const nowMs = performance.now();
    const due: HeldSubscription[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const subscription of this.#byKey.values()) {
      if (subscription.state.kind !== "refused") continue;
      const { nextTryMs } = subscription.state;
      if (nextTryMs <= nowMs && due.length < MAX_RETRIED) due.push(subscription);
      else nextMs = Math.min(nextMs, nextTryMs);
    }
    this.#ask(due);
    this.#run();
    if (nextMs !== Number.POSITIVE_INFINITY) this.#retry.within(Math.max(MIN_PAUSE_MS, nextMs - nowMs));
  }

  /**
   * Reports it with the other changes of its round, whose refusals may arrive one by one; outside of a round, with those
   * of this moment.
   */
  #tell(subscription: HeldSubscription): void {
    this.#changed.add(subscription);
    if (this.#rounds === "idle") setImmediate(() => this.#rounds === "idle" && this.#tellAll());
  }

  #tellAll(): void {
    const changed = [...this.#changed].filter(({ state }) => state.kind !== "ended");
    this.#changed = new Set();
    const refused = changed.filter(({ refusal }) => refusal !== undefined);
    const restored = changed.filter(({ refusal }) => refusal === undefined);
    if (refused.length > 0) this.#parts.events.refused(refused);
    if (restored.length > 0) this.#parts.events.restored(restored);
  }

  #noteHeld(): void {
    if (this.#allHeld === undefined || this.unheld().length > 0) return;
    this.#allHeld.resolve();
    this.#allHeld = undefined;
  }
}

/** Subjects and queue groups hold no blanks. */
function keyOf({ subject, queue }: { readonly subject: string; readonly queue?: string | undefined }): string {
  return `${subject} ${queue ?? ""}`;
}
