/**
 * A replica that runs: connects, serves its plugins, follows its files, and drains.
 *
 * Its store and its registry are open when it is made. At its end, it drains the consumer, then closes what was opened, last
 * first; the other steps run also where one fails.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import { within } from "./app-closing.ts";
import { ReplicaControl } from "./app-control.ts";
import { logLink } from "./app-nats.ts";
import { closeParts, type ReplicaParts } from "./app-parts.ts";
import { Serving } from "./app-serving.ts";
import type { DrainOutcome } from "./consumer/consumer.ts";
import type { ReloadReport } from "./control/report.ts";
import { requestSubject } from "./contract/protocol.ts";
import { HostError } from "./errors/host-error.ts";
import type { KeyValueStore } from "./kv/store.ts";
import { findCapturingStreams } from "./nats/capturing-streams.ts";
import { natsError } from "./nats/connection.ts";
import { adviceWithoutServer } from "./nats/no-server.ts";
import { ReplicaLink } from "./nats/replica-link.ts";
import { connectReplica } from "./nats/replica-connection.ts";
import type { Registry } from "./registry/registry.ts";

/** A running replica; see `App` for its public members. */
export class Replica {
  readonly ready: Promise<void>;
  readonly failed: Promise<never>;
  readonly #parts: ReplicaParts;
  readonly #registry: Registry;
  readonly #store: KeyValueStore;
  readonly #failed = Promise.withResolvers<never>();
  readonly #starting: Promise<void>;
  #draining: Promise<DrainOutcome> | undefined;

  /** Begins to load the plugins and to connect. */
  constructor(parts: ReplicaParts, registry: Registry, store: KeyValueStore) {
    this.#parts = parts;
    this.#registry = registry;
    this.#store = store;
    this.ready = parts.ready.promise;
    this.failed = this.#failed.promise;
    // Callers need not wait for these: the log has the errors, too.
    this.ready.catch(() => undefined);
    this.failed.catch(() => undefined);
    this.#starting = this.#start();
  }

  drain(reason: string): Promise<DrainOutcome> {
    this.#draining ??= this.#drain(reason);
    return this.#draining;
  }

  reload(reason: string): void {
    const { stopping, logger } = this.#parts;
    if (stopping.signal.aborted) return;
    logger.info({ reason }, "reading the files again");
    void this.#registry.reread();
  }

  async reloaded(timeoutMs: number): Promise<ReloadReport> {
    return await new ReplicaControl(this.#parts).reload(timeoutMs);
  }

  /** Loads the plugins and connects, then subscribes. Settles `ready`. */
  async #start(): Promise<void> {
    const { log, ready, stopping, reader, config } = this.#parts;
    const registry = this.#registry;
    try {
      // Each plugin is served from when it is loaded, so a slow one keeps no other waiting.
      const loaded = registry.open();
      const [serving] = await Promise.all([this.#connect().then((connection) => this.#serve(connection)), loaded]);
      if (serving === undefined || stopping.signal.aborted) return;
      await serving.review(registry.slots.values());
      await serving.openWrpc((reader.last ?? config).consumer.wrpc);
      await this.#unlessStopped(serving.link.subscriptions.whenHeld());
      if (stopping.signal.aborted) return;
      log.ready(registry.slots.values(), serving.link.server);
      ready.resolve();
      void this.#lookForStreams();
    } catch (error) {
      ready.reject(error);
    }
  }

  async #connect(): Promise<NatsConnection | undefined> {
    const { options, logger, stopping } = this.#parts;
    const { nats, replicaId, natsPingMs } = options;
    return await connectReplica({
      nats,
      name: `network-host ${replicaId}`,
      pingIntervalMs: natsPingMs,
      signal: stopping.signal,
      failed: (error, delayMs) => {
        const advice = adviceWithoutServer(error.message, nats.servers);
        logger.warn({ err: error, servers: nats.servers, delayMs, advice }, "waiting for NATS");
      },
      warned: (error) => logger.warn({ err: error }, "the file cannot be used; its last content is"),
    });
  }

  /** Begins to serve the plugins that are loaded by now. The others follow as they are loaded. */
  #serve(connection: NatsConnection | undefined): Serving | undefined {
    if (connection === undefined) return undefined;
    const { open, stopping } = this.#parts;
    const link = this.#openLink(connection);
    if (stopping.signal.aborted) return undefined;
    const serving = new Serving({ ...this.#parts, link, registry: this.#registry, store: this.#store });
    open.serving = serving;
    void serving.review([...this.#registry.slots.values()].filter(({ state }) => state.kind !== "loading"));
    return serving;
  }

  #openLink(connection: NatsConnection): ReplicaLink {
    const { counters, closing, logger, stopping } = this.#parts;
    const link = new ReplicaLink({
      connection,
      stats: counters.nats,
      events: logLink(logger, (error) => {
        if (!stopping.signal.aborted) this.#failed.reject(error);
      }),
    });
    closing.defer("the connection to NATS", (signal) => link.close(signal));
    return link;
  }

  /** Warns of streams that answer requests of its plugins. The server's configuration has them, so it can do no more. */
  async #lookForStreams(): Promise<void> {
    const { options, log, logger } = this.#parts;
    const { nats, replicaId } = options;
    const subjects = [...this.#registry.slots.keys()].map((plugin) => requestSubject(plugin));
    try {
      const streams = await findCapturingStreams(nats, `network-host ${replicaId}, its start`, subjects);
      for (const { name, subjects: captured } of streams) log.streamAnswers(name, captured);
    } catch (error) {
      const reason = natsError(error, "looking for streams");
      logger.debug({ err: reason }, "it is not known whether a JetStream stream captures requests");
    }
  }

  async #drain(reason: string): Promise<DrainOutcome> {
    const { settings, logger, stopping, open } = this.#parts;
    const { drainMs } = settings;
    const untilMs = performance.now() + drainMs;
    logger.info({ reason, graceMs: drainMs }, "draining");
    stopping.abort();
    this.#registry.giveUpLoads();
    open.serving?.close();
    // A start in progress ends first: it may be about to subscribe.
    await within(drainMs, () => this.#starting);
    const outcome = (await open.serving?.drain(Math.max(0, untilMs - performance.now()))) ?? "clean";
    if (outcome === "forced") logger.error({ err: new HostError("drain-timeout") }, "requests were cut off");
    await closeParts(this.#parts, untilMs);
    logger.info({ outcome }, "stopped");
    logger.flush();
    return outcome;
  }

  /** Waits for the promise, at most until the replica stops. */
  async #unlessStopped(promise: Promise<void>): Promise<void> {
    const { signal } = this.#parts.stopping;
    if (signal.aborted) return;
    const stopped = Promise.withResolvers<void>();
    const stop = (): void => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([promise, stopped.promise]).finally(() => signal.removeEventListener("abort", stop));
  }
}
