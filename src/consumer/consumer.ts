/**
 * A consumer: the subscriptions of one replica. It is ready when the server has confirmed every
 * subscription, and it drains in this order: take no new messages, answer those that were accepted, then say
 * so. Messages that the server had already sent when the drain began are accepted ones.
 *
 * @module
 */

import type { Msg, NatsConnection, Subscription } from "nats";
import type { PluginName } from "../contract/names.ts";
import { methodSubjects, requestSubject } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";
import type { ThreadShares } from "../fairness/thread-shares.ts";
import type { AdmissionGate } from "./admission.ts";
import type { RequestHandler } from "./request-handler.ts";
import { ServedPlugin, type ServedSlot } from "./served-plugin.ts";
import type { VersionSurroundings } from "./served-version.ts";

/** What subscriptions need of a connection. */
export type SubscribingConnection = Pick<NatsConnection, "subscribe" | "flush">;

export interface ConsumerParts extends VersionSurroundings {
  readonly connection: SubscribingConnection;
  /** The queue group: replicas with the same one share the messages. */
  readonly group: string;
  readonly handler: RequestHandler;
  readonly admission: AdmissionGate;
  /** What each plugin has of this thread. */
  readonly shares: ThreadShares;
}

/** A plugin that is subscribed to. */
interface Subscribed {
  readonly plugin: ServedPlugin;
  readonly subscriptions: readonly Subscription[];
}

/** `clean`: every accepted request was answered by its plugin or its own deadline. */
export type DrainOutcome = "clean" | "forced";

export class Consumer {
  readonly #parts: ConsumerParts;
  readonly #subscribed = new Map<PluginName, Subscribed>();
  #state: "open" | "draining" = "open";
  #draining: Promise<DrainOutcome> | undefined;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
  }

  /**
   * Subscribes to the subjects of these plugins and waits for the server's word that it has done so. Throws
   * `nats-unavailable`, also where the account may not subscribe.
   */
  async subscribe(slots: Iterable<ServedSlot>): Promise<void> {
    const refused = Promise.withResolvers<never>();
    // The server's refusal may come after its confirmation of another subscription: then only the log tells.
    refused.promise.catch(() => undefined);
    for (const slot of slots) {
      if (this.#state === "draining" || this.#subscribed.has(slot.name)) continue;
      const plugin = this.#own(slot);
      const subjects = [requestSubject(slot.name), methodSubjects(slot.name)];
      const subscriptions = subjects.map((subject) => this.#subscribe(subject, plugin, refused.reject));
      this.#subscribed.set(slot.name, { plugin, subscriptions });
    }
    await Promise.race([this.#roundTrip(), refused.promise]);
  }

  /** Waits for the server's word that it holds the subscriptions, after a reconnect. Throws `nats-unavailable`. */
  async confirm(): Promise<void> {
    await this.#roundTrip();
  }

  /** Stops taking messages of a plugin; those already on their way are still answered. */
  async unsubscribe(name: PluginName): Promise<void> {
    const subscribed = this.#subscribed.get(name);
    if (subscribed === undefined) return;
    this.#subscribed.delete(name);
    await Promise.all(subscribed.subscriptions.map(drainSubscription));
    await subscribed.plugin.turns.settled();
  }

  /**
   * Drains; see the module's comment. Without a connection no messages are on their way, and there is no server
   * to wait for. Called again, it returns the drain under way. Never rejects.
   */
  drain(graceMs: number, link: "connected" | "disconnected"): Promise<DrainOutcome> {
    this.#draining ??= this.#drain(graceMs, link);
    return this.#draining;
  }

  #own(slot: ServedSlot): ServedPlugin {
    const { admission, shares, store, http, logger } = this.#parts;
    const { turns } = shares.of(slot.name);
    return new ServedPlugin({ slot, gate: admission.forPlugin(), turns, store, http, logger });
  }

  #subscribe(subject: string, plugin: ServedPlugin, refuse: (error: HostError) => void): Subscription {
    const { connection, group, handler } = this.#parts;
    const { turns } = plugin;
    return connection.subscribe(subject, {
      queue: group,
      callback: (error: Error | null, message: Msg) => {
        if (error === null) {
          const arrivedMs = performance.now();
          turns.run(() => handler.handle(plugin, message, arrivedMs), arrivedMs);
          return;
        }
        const refusal = new HostError(
          "nats-unavailable",
          `the subscription to ${subject} was refused: ${error.message}`,
          {
            cause: error,
          },
        );
        this.#parts.logger.error({ err: refusal, subject }, "a subscription ended");
        refuse(refusal);
      },
    });
  }

  async #roundTrip(): Promise<void> {
    try {
      await this.#parts.connection.flush();
    } catch (error) {
      throw new HostError("nats-unavailable", "the server did not confirm the subscriptions", { cause: error });
    }
  }

  async #drain(graceMs: number, link: "connected" | "disconnected"): Promise<DrainOutcome> {
    this.#state = "draining";
    let timer: NodeJS.Timeout | undefined;
    const graceOver = new Promise<"forced">((resolve) => {
      timer = setTimeout(() => resolve("forced"), graceMs);
    });
    const outcome = await Promise.race([this.#finish(link), graceOver]);
    clearTimeout(timer);
    if (outcome === "forced") {
      this.#parts.shares.flush();
      this.#parts.handler.abandonAll();
    }
    return outcome;
  }

  async #finish(link: "connected" | "disconnected"): Promise<DrainOutcome> {
    if (link === "connected") {
      await Promise.all([...this.#subscribed.keys()].map((name) => this.unsubscribe(name)));
    }
    await this.#parts.shares.settled();
    await this.#parts.handler.idle();
    return "clean";
  }
}

/** A connection that is down has no messages on their way: its subscriptions are simply dropped. */
async function drainSubscription(subscription: Subscription): Promise<void> {
  try {
    await subscription.drain();
  } catch {
    subscription.unsubscribe();
  }
}
