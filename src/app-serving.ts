/**
 * The parts that serve requests once NATS is connected: the link, the consumer on it, the answers to discovery, and the
 * choice of the plugins that are subscribed here.
 *
 * @module
 */

import type { ServeOptions } from "./app-options.ts";
import { logPresence } from "./app-plugins.ts";
import type { ReplicaSettings } from "./app-settings.ts";
import { logWrpc } from "./app-wrpc.ts";
import { AdmissionGate } from "./consumer/admission.ts";
import { Consumer, type DrainOutcome } from "./consumer/consumer.ts";
import { Discovery } from "./consumer/discovery.ts";
import { Presence } from "./consumer/presence.ts";
import { RequestHandler } from "./consumer/request-handler.ts";
import { newRequestId } from "./consumer/request-id.ts";
import { describeServices } from "./consumer/service-description.ts";
import type { WrpcNatsSettings, WrpcSettings } from "./contract/wrpc-settings.ts";
import type { WrpcReport } from "./control/report.ts";
import { createUndiciHttp } from "./egress/undici/client.ts";
import type { KeyValueStore } from "./kv/store.ts";
import type { ThreadShares } from "./fairness/thread-shares.ts";
import type { ReplicaLink } from "./nats/replica-link.ts";
import type { PluginSlot } from "./registry/plugin-slot.ts";
import type { Registry } from "./registry/registry.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { WrpcStats } from "./telemetry/wrpc-stats.ts";
import { NatsSource } from "./wrpc-server/nats/nats-source.ts";
import { WrpcServer } from "./wrpc-server/wrpc-server.ts";

/** The parts and settings that it serves with. */
export interface ServingOptions {
  readonly link: ReplicaLink;
  readonly registry: Registry;
  readonly store: KeyValueStore;
  readonly shares: ThreadShares;
  readonly settings: ReplicaSettings;
  readonly options: Pick<ServeOptions, "replicaId">;
  /** When the replica was started. */
  readonly started: Date;
  readonly counters: { readonly wrpc: WrpcStats };
  readonly logger: Logger;
}

/** Serves requests and discovery over one connection to NATS, and wRPC calls. */
export class Serving {
  readonly link: ReplicaLink;
  readonly #handler: RequestHandler;
  readonly #consumer: Consumer;
  readonly #presence: Presence;
  readonly #wrpc: WrpcServer;
  readonly #wrpcNats: WrpcNatsSettings | undefined;
  #followsWrpc = false;

  /** Answers discovery at once; {@link review} subscribes plugins. */
  constructor({ link, registry, store, shares, settings, options, started, counters, logger }: ServingOptions) {
    const { group } = settings;
    this.link = link;
    this.#handler = new RequestHandler({ logger, newId: newRequestId });
    this.#wrpcNats = settings.wrpcNats;
    const wrpcNats = this.#natsSource(settings, counters.wrpc);
    this.#consumer = new Consumer({
      link,
      group,
      handler: this.#handler,
      admission: new AdmissionGate(() => settings.concurrency),
      store,
      http: createUndiciHttp(),
      shares,
      logger,
      ...(wrpcNats !== undefined && { furtherSubjects: wrpcNats }),
    });
    if (wrpcNats !== undefined) {
      this.#consumer.include(wrpcNats);
      wrpcNats.listen();
    }
    this.#wrpc = new WrpcServer({
      served: (plugin) => this.#consumer.served(plugin),
      handler: this.#handler,
      arrived: () => this.#consumer.arrivedMs(),
      shares,
      newId: newRequestId,
      stats: counters.wrpc,
      events: logWrpc(logger),
    });
    this.#consumer.include(this.#wrpc);
    const identity = { group, replicaId: options.replicaId, started };
    const discovery = new Discovery({
      subscriptions: link.subscriptions,
      services: () => describeServices(registry.slots.values(), identity),
      maxPayloadBytes: () => link.replies.maxPayloadBytes,
      unanswerable: (plugin) =>
        logger.warn({ plugin }, "a discovery request gets no answer: the NATS server's max_payload is too small"),
    });
    discovery.open();
    this.#presence = new Presence({
      consumer: this.#consumer,
      isServedElsewhere: (plugin) => link.isServedElsewhere(plugin, options.replicaId),
      events: logPresence(logger),
    });
  }

  /** wRPC over NATS, if the consumer file has it. */
  #natsSource({ group, wrpcNats }: ReplicaSettings, stats: WrpcStats): NatsSource | undefined {
    if (wrpcNats === undefined) return undefined;
    const { subscriptions, replies } = this.link;
    const handler = this.#handler;
    return new NatsSource({ ...wrpcNats, group, subscriptions, replies, handler, stats, newId: newRequestId });
  }

  /** Subscribes those of these plugins that can be served, and leaves the others to other replicas. */
  async review(slots: Iterable<PluginSlot>): Promise<void> {
    await this.#presence.review(slots);
  }

  /** Begins to serve plugins over wRPC. Throws `listen-failed` or `usage-invalid` where one cannot be. */
  async openWrpc({ tcp }: WrpcSettings): Promise<void> {
    this.#followsWrpc = true;
    const [error] = await this.#wrpc.follow(tcp);
    if (error !== undefined) throw error;
  }

  /** Applies changed settings, once {@link openWrpc} was called. What cannot be served is logged, and tried again later. */
  followWrpc({ tcp }: WrpcSettings): void {
    if (this.#followsWrpc) void this.#wrpc.follow(tcp);
  }

  /** Where plugins are served over wRPC now. */
  get wrpcReports(): readonly WrpcReport[] {
    const tcp = Array.from(
      this.#wrpc.addresses,
      ([plugin, address]) => ({ plugin, transport: "tcp", address }) as const,
    );
    const served = [...(this.#wrpcNats?.plugins ?? [])].filter((plugin) => this.#consumer.served(plugin) !== undefined);
    const nats = served.map((plugin) => {
      return { plugin, transport: "nats", address: `${this.#wrpcNats?.prefix}.${plugin}` } as const;
    });
    return [...tcp, ...nats];
  }

  /** Reviews the requests in flight after a narrowing. */
  reviewRequests(): void {
    this.#handler.review();
  }

  /** Takes no more requests of the plugin. */
  async remove(slot: PluginSlot): Promise<void> {
    await this.#presence.remove(slot);
  }

  /** From now on subscribes no more plugins. */
  close(): void {
    this.#presence.close();
  }

  /** Takes no more requests and answers those it has. */
  async drain(graceMs: number): Promise<DrainOutcome> {
    return await this.#consumer.drain(graceMs);
  }
}
