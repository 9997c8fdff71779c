/**
 * A consumer: takes the requests for a replica's plugins. A drain stops taking new messages, then waits until every
 * accepted request has been answered. Messages that the server had already sent when the drain began are accepted, and
 * a reply that waits for the connection is not yet an answer.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { methodSubjects, requestSubject } from "../contract/protocol.ts";
import type { ThreadShares } from "../fairness/thread-shares.ts";
import type { ReplicaLink } from "../nats/replica-link.ts";
import type { HeldSubscription, SubscriptionPlan } from "../nats/held-subscription.ts";
import { resultWithin } from "../scheduling/result-within.ts";
import type { AdmissionGate } from "./admission.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import { NatsRequest } from "./reply.ts";
import type { RequestHandler } from "./request-handler.ts";
import { ServedPlugin, type ServedSlot } from "./served-plugin.ts";
import type { ServedVersionOptions } from "./served-version.ts";

export interface ConsumerOptions extends ServedVersionOptions {
  readonly link: Pick<ReplicaLink, "subscriptions" | "replies" | "caughtUp">;
  /** The queue group: replicas with the same one share the messages. */
  readonly group: string;
  readonly handler: RequestHandler;
  readonly admission: AdmissionGate;
  /** Each plugin's share of this thread. */
  readonly shares: ThreadShares;
  readonly furtherSubjects?: SubjectSource;
}

/** A further way in for requests of the plugins that a consumer serves. Its replies are its own. */
export interface RequestSource {
  /** Takes no more requests. */
  stop(): Promise<void>;
  /** Resolves when no reply is on its way. Never rejects. */
  idle(): Promise<void>;
  /** Gives up the replies that are on their way. */
  close(): void;
}

/** Further subjects on which a consumer takes a plugin's requests: with its own, and for as long. */
export interface SubjectSource {
  plansOf(plugin: ServedPlugin, arrivals: Pick<ArrivalClock, "stamp">): readonly SubscriptionPlan[];
}

interface Subscribed {
  readonly plugin: ServedPlugin;
  readonly subscriptions: readonly HeldSubscription[];
}

/** The time for the replies to requests that a drain cut off. */
const LAST_REPLIES_MS = 250;

/** `clean`: every accepted request was answered by its plugin or its own deadline. */
export type DrainOutcome = "clean" | "forced";

export class Consumer {
  readonly #parts: ConsumerOptions;
  readonly #arrivals: ArrivalClock;
  readonly #subscribed = new Map<PluginName, Subscribed>();
  readonly #sources: RequestSource[] = [];
  #state: "open" | "draining" = "open";
  #draining: Promise<DrainOutcome> | undefined;

  constructor(parts: ConsumerOptions) {
    this.#parts = parts;
    this.#arrivals = new ArrivalClock(() => parts.link.caughtUp());
  }

  /**
   * Subscribes to the requests of these plugins, unless it is subscribed already. Resolves when the server has accepted
   * or refused each new subscription, with the plugins whose subscriptions it all accepted. Never rejects.
   */
  async subscribe(slots: Iterable<ServedSlot>): Promise<readonly PluginName[]> {
    const opened: Subscribed[] = [];
    for (const slot of slots) {
      if (this.#state === "draining" || this.#subscribed.has(slot.name)) continue;
      const plugin = this.#own(slot);
      const subscribed = { plugin, subscriptions: this.#parts.link.subscriptions.open(this.#plansOf(plugin)) };
      this.#subscribed.set(slot.name, subscribed);
      opened.push(subscribed);
    }
    await Promise.all(opened.flatMap(({ subscriptions }) => subscriptions.map(({ verdict }) => verdict)));
    const held = opened.filter(({ subscriptions }) => subscriptions.every(({ state }) => state.kind === "held"));
    return held.map(({ plugin }) => plugin.slot.name);
  }

  /** Stops taking messages of a plugin; those already on their way are still answered. */
  async unsubscribe(name: PluginName): Promise<void> {
    const subscribed = this.#subscribed.get(name);
    if (subscribed === undefined) return;
    this.#subscribed.delete(name);
    await Promise.all(subscribed.subscriptions.map((subscription) => subscription.drain()));
    await subscribed.plugin.turns.settled();
  }

  /** The plugin, while this consumer takes its requests. */
  served(name: PluginName): ServedPlugin | undefined {
    return this.#subscribed.get(name)?.plugin;
  }

  /** When did a request arrive that another source has read now? As for messages, in doubt it is older than it is. */
  arrivedMs(): number {
    return this.#arrivals.stamp().arrivedMs;
  }

  /** A drain includes this source from now on. */
  include(source: RequestSource): void {
    this.#sources.push(source);
  }

  /** Drains; see the module's comment. Called again, it returns the drain in progress. Never rejects. */
  drain(graceMs: number): Promise<DrainOutcome> {
    this.#draining ??= this.#drain(graceMs);
    return this.#draining;
  }

  #own(slot: ServedSlot): ServedPlugin {
    const { admission, shares, store, http, logger } = this.#parts;
    const { turns } = shares.of(slot.name);
    return new ServedPlugin({ slot, gate: admission.forPlugin(), turns, store, http, logger });
  }

  #plansOf(plugin: ServedPlugin): readonly SubscriptionPlan[] {
    const { group, handler, link, furtherSubjects } = this.#parts;
    const { turns, slot } = plugin;
    const plain = requestSubject(slot.name);
    const own = [plain, methodSubjects(slot.name)].map((subscribed): SubscriptionPlan => ({
      subject: subscribed,
      queue: group,
      need: "required",
      deliver: (message) => {
        const { readMs, arrivedMs } = this.#arrivals.stamp();
        turns.run(() => {
          // The client decodes a message's subject each time that it is asked for it.
          const subject = subscribed === plain ? plain : message.subject;
          handler.handle(plugin, new NatsRequest(message, subject, arrivedMs, link.replies));
        }, readMs);
      },
    }));
    return [...own, ...(furtherSubjects?.plansOf(plugin, this.#arrivals) ?? [])];
  }

  async #drain(graceMs: number): Promise<DrainOutcome> {
    this.#state = "draining";
    const outcome = (await resultWithin(graceMs, this.#finish())) ?? "forced";
    this.#arrivals[Symbol.dispose]();
    if (outcome === "forced") {
      this.#parts.shares.flush();
      this.#parts.handler.abandonAll();
      this.#parts.link.replies.close();
      await this.#lastReplies();
    }
    for (const source of this.#sources) source.close();
    return outcome;
  }

  /** Other sources than NATS have a moment for the replies to what was cut off. */
  async #lastReplies(): Promise<void> {
    if (this.#sources.length === 0) return;
    await resultWithin(LAST_REPLIES_MS, Promise.all(this.#sources.map((source) => source.idle())));
  }

  async #finish(): Promise<"clean"> {
    await Promise.all(this.#sources.map((source) => source.stop()));
    await Promise.all([...this.#subscribed.keys()].map((name) => this.unsubscribe(name)));
    await this.#parts.shares.settled();
    await this.#parts.handler.idle();
    await Promise.all([this.#parts.link.replies.idle(), ...this.#sources.map((source) => source.idle())]);
    return "clean";
  }
}
