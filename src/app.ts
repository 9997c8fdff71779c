/**
 * The composition root: makes a replica of its parts and takes it apart again. This is the only place that
 * knows the concrete drivers.
 *
 * Start: configuration → store → plugins and NATS side by side → subscriptions, confirmed → ready.
 * End: drain the consumer, then close what was opened, last first; a step that fails does not skip the rest.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import { planOf, type ReplicaConfig, ConfigReader } from "./app-config.ts";
import { ConfigLog } from "./app-config-log.ts";
import { letHeapGrow } from "./app-heap.ts";
import { AppLog } from "./app-log.ts";
import type { ServeOptions, StoreOptions } from "./app-options.ts";
import { ReplicaSettings } from "./app-settings.ts";
import { AdmissionGate } from "./consumer/admission.ts";
import { Consumer, type DrainOutcome } from "./consumer/consumer.ts";
import { Discovery } from "./consumer/discovery.ts";
import { RequestHandler } from "./consumer/request-handler.ts";
import { newRequestId } from "./consumer/request-id.ts";
import { describeServices } from "./consumer/service-description.ts";
import { createUndiciHttp } from "./egress/undici/client.ts";
import { HostError } from "./errors/host-error.ts";
import type { BatchSize } from "./kv/batch-queue.ts";
import { openMongoStore } from "./kv/drivers/mongodb.ts";
import { openSqliteStore } from "./kv/drivers/sqlite.ts";
import type { KeyValueStore } from "./kv/store.ts";
import { ConnectionWatch } from "./nats/connection-watch.ts";
import { connectReplica } from "./nats/replica-connection.ts";
import { ArtifactCache } from "./registry/artifact-cache.ts";
import { PluginLoader } from "./registry/plugin-loader.ts";
import type { PluginSlot } from "./registry/plugin-slot.ts";
import { ReadContents } from "./registry/read-contents.ts";
import { Registry, type RegistryPlan } from "./registry/registry.ts";
import { decideConfinement } from "./supervisor/confinement.ts";
import { ThreadShares } from "./supervisor/thread-shares.ts";
import { BatchStats } from "./telemetry/batch-stats.ts";
import { startHealthServer, type Readiness, type ReadinessCheck } from "./telemetry/health-server.ts";
import { createLogger, type Logger } from "./telemetry/logger.ts";
import { createMetrics } from "./telemetry/metrics.ts";

/** A running replica. */
export interface App {
  /** Resolves when requests are taken: plugins loaded, subscriptions confirmed. Rejects when that can never be. */
  readonly ready: Promise<void>;
  /** Rejects when a ready replica cannot go on. Never resolves. */
  readonly failed: Promise<never>;
  /** Stops taking requests, answers the accepted ones, closes everything. Called again, it returns the same promise. */
  drain(reason: string): Promise<DrainOutcome>;
}

const STORE_PING_MS = 1_000;
/** In the answer to a question for readiness. */
const NAMED_PLUGINS = 16;

/** Starts a replica. Throws `config-invalid` or `usage-invalid` at once; waits for NATS in the background. */
export async function startApp(options: ServeOptions): Promise<App> {
  letHeapGrow();
  const contents = new ReadContents();
  const reader = new ConfigReader(options, (path, digest) => contents.note(path, digest));
  const config = await reader.read();
  const logger = createLogger({
    level: options.log.level,
    pretty: options.log.format === "pretty",
    colour: options.log.colour,
    base: { replica: options.replicaId, group: config.consumer.group },
  });
  const replica = new Replica(options, { reader, contents, config }, logger);
  await replica.open();
  return replica;
}

/** The files that a replica was started with, and how it follows them. */
interface ReplicaSources {
  readonly reader: ConfigReader;
  /** What was read of them. */
  readonly contents: ReadContents;
  /** What they held at the start. */
  readonly config: ReplicaConfig;
}

class Replica implements App {
  readonly ready: Promise<void>;
  readonly failed: Promise<never>;
  readonly #options: ServeOptions;
  readonly #sources: ReplicaSources;
  readonly #settings: ReplicaSettings;
  readonly #logger: Logger;
  readonly #log: AppLog;
  readonly #configLog: ConfigLog;
  readonly #owned = new AsyncDisposableStack();
  readonly #stopping = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #started = new Date();
  readonly #storeBatches = new BatchStats();
  readonly #shares = new ThreadShares();
  #registry: Registry | undefined;
  #store: KeyValueStore | undefined;
  #connection: ConnectionWatch | undefined;
  #handler: RequestHandler | undefined;
  #consumer: Consumer | undefined;
  #subscriptions: "unconfirmed" | "confirmed" = "unconfirmed";
  #starting: Promise<void> = Promise.resolve();
  #draining: Promise<DrainOutcome> | undefined;

  constructor(options: ServeOptions, sources: ReplicaSources, logger: Logger) {
    this.#options = options;
    this.#sources = sources;
    this.#settings = new ReplicaSettings(sources.config.consumer, logger);
    this.#logger = logger;
    this.#log = new AppLog(logger, options.policyDir);
    this.#configLog = new ConfigLog(logger);
    this.ready = this.#ready.promise;
    this.failed = this.#failed.promise;
    // Whoever does not wait for these is told by the log.
    this.ready.catch(() => undefined);
    this.failed.catch(() => undefined);
  }

  /** Opens what must be there before anything else and begins the rest. */
  async open(): Promise<void> {
    try {
      await this.#openHealth();
      this.#store = this.#owned.use(await openStore(this.#options.store, this.#storeBatches));
      this.#registry = this.#owned.use(await this.#openRegistry());
    } catch (error) {
      await this.#owned.disposeAsync();
      throw error;
    }
    this.#starting = this.#start(this.#registry, this.#store);
  }

  drain(reason: string): Promise<DrainOutcome> {
    this.#draining ??= this.#drain(reason);
    return this.#draining;
  }

  async #openHealth(): Promise<void> {
    const { health } = this.#options;
    if (health === undefined) return;
    const server = await startHealthServer({
      ...health,
      readiness: () => this.#readiness(),
      metrics: createMetrics({
        plugins: () => [...this.#slots()].map((slot) => slot.stats),
        storeBatches: this.#storeBatches,
        unusableFiles: () => this.#configLog.unusableFiles,
      }),
      failed: (error) => this.#logger.error({ err: error }, "the health server could not answer"),
    });
    this.#owned.use(server);
    this.#logger.info({ url: server.url }, "health and metrics are served");
  }

  async #openRegistry(): Promise<Registry> {
    const cache = await ArtifactCache.open(this.#options.cacheDir);
    const confinement = await decideConfinement(this.#options);
    this.#log.confined(confinement);
    const loader = new PluginLoader(
      cache,
      this.#log.loadEvents((name) => this.#registry?.slots.get(name)?.stats),
      { engine: this.#options.engine, confinement, shares: this.#shares, contents: this.#sources.contents },
    );
    return new Registry({
      loader,
      plan: (changed) => this.#plan(changed),
      contents: this.#sources.contents,
      events: {
        ...this.#log.registryEvents(),
        added: (slot) => this.#subscribeTo(slot),
        removed: async (slot) => {
          await this.#consumer?.unsubscribe(slot.name);
          this.#shares.forget(slot.name);
          this.#logger.info({ plugin: slot.name }, "plugin removed");
        },
        confined: () => this.#handler?.review(),
      },
    });
  }

  async #plan(changed: ReadonlySet<string>): Promise<RegistryPlan> {
    const config = await this.#sources.reader.read(changed);
    this.#configLog.read(config);
    return planOf({ ...config, consumer: this.#settings.follow(config.consumer) }, this.#options);
  }

  /** Loads the plugins and connects, then subscribes. Reports how it went through `ready`. */
  async #start(registry: Registry, store: KeyValueStore): Promise<void> {
    try {
      // A plugin is served from when it is loaded: one that takes long keeps no other one waiting.
      const loaded = registry.open();
      const [connection] = await Promise.all([
        this.#connect().then((link) => this.#serve(link, registry, store)),
        loaded,
      ]);
      if (connection === undefined || this.#stopping.signal.aborted) return;
      await this.#consumer?.subscribe(registry.slots.values());
      this.#subscriptions = "confirmed";
      this.#log.ready(registry.slots.values(), connection.getServer());
      this.#ready.resolve();
    } catch (error) {
      this.#ready.reject(error);
    }
  }

  async #connect(): Promise<NatsConnection | undefined> {
    const { nats, replicaId } = this.#options;
    const connection = await connectReplica({
      nats,
      name: `network-host ${replicaId}`,
      signal: this.#stopping.signal,
      failed: (error, delayMs) => this.#logger.warn({ err: error, servers: nats.servers, delayMs }, "waiting for NATS"),
    });
    if (connection === undefined) return undefined;
    this.#owned.defer(async () => {
      // Sends what is still buffered: the last replies.
      if (!connection.isClosed()) await connection.drain();
    });
    return connection;
  }

  /** Begins to serve what is loaded by now; the rest follows as it is loaded. */
  async #serve(
    connection: NatsConnection | undefined,
    registry: Registry,
    store: KeyValueStore,
  ): Promise<NatsConnection | undefined> {
    if (connection === undefined || this.#stopping.signal.aborted) return undefined;
    const { group } = this.#settings;
    const admission = new AdmissionGate(() => this.#settings.concurrency);
    const handler = new RequestHandler({
      connection,
      admission,
      store,
      http: createUndiciHttp(),
      shares: this.#shares,
      logger: this.#logger,
      newId: newRequestId,
    });
    this.#handler = handler;
    const consumer = new Consumer({ connection, group, handler, shares: this.#shares, logger: this.#logger });
    this.#consumer = consumer;
    this.#connection = this.#watch(connection, consumer);
    const discovery = new Discovery(connection, () =>
      describeServices(registry.slots.values(), { group, replicaId: this.#options.replicaId, started: this.#started }),
    );
    discovery.open();
    await this.#subscribe(
      consumer,
      [...registry.slots.values()].filter(({ state }) => state.kind !== "loading"),
    );
    return connection;
  }

  /** Before there is a connection this does nothing: `#serve` subscribes to what is loaded by then. */
  #subscribeTo(slot: PluginSlot): void {
    if (this.#consumer === undefined) return;
    this.#subscribe(this.#consumer, [slot]).catch((error: unknown) =>
      this.#logger.error({ err: error, plugin: slot.name }, "the plugin cannot be subscribed to"),
    );
  }

  async #subscribe(consumer: Consumer, slots: readonly PluginSlot[]): Promise<void> {
    await consumer.subscribe(slots);
    for (const { name } of slots) this.#logger.debug({ plugin: name }, "plugin subscribed");
  }

  #watch(connection: NatsConnection, consumer: Consumer): ConnectionWatch {
    return new ConnectionWatch(connection, {
      disconnected: (server) => {
        this.#subscriptions = "unconfirmed";
        this.#logger.warn({ server }, "the connection to NATS is lost; reconnecting");
      },
      reconnected: (server) => {
        this.#logger.info({ server }, "the connection to NATS is back");
        void consumer.confirm().then(
          () => (this.#subscriptions = "confirmed"),
          (error: unknown) => this.#logger.error({ err: error }, "the subscriptions are not confirmed"),
        );
      },
      warned: (message) => this.#logger.warn({ detail: message }, "NATS"),
      closed: (error) => {
        if (this.#stopping.signal.aborted) return;
        this.#failed.reject(new HostError("nats-unavailable", "the connection to NATS was closed", { cause: error }));
      },
    });
  }

  async #drain(reason: string): Promise<DrainOutcome> {
    const { drainMs } = this.#settings;
    this.#logger.info({ reason, graceMs: drainMs }, "draining");
    this.#stopping.abort();
    this.#registry?.giveUpLoads();
    // A start under way ends first: it may be about to subscribe.
    await this.#starting;
    const isUp = this.#connection?.isUp ?? false;
    const outcome = (await this.#consumer?.drain(drainMs, isUp ? "connected" : "disconnected")) ?? "clean";
    if (outcome === "forced") this.#logger.error({ err: new HostError("drain-timeout") }, "requests were cut off");
    try {
      await this.#owned.disposeAsync();
    } catch (error) {
      this.#logger.error({ err: error }, "not everything could be closed in order");
    }
    this.#logger.info({ outcome }, "stopped");
    this.#logger.flush();
    return outcome;
  }

  *#slots() {
    if (this.#registry !== undefined) yield* this.#registry.slots.values();
  }

  async #readiness(): Promise<Readiness> {
    const stopping = this.#stopping.signal.aborted;
    const storeUp = (await this.#store?.ping({ timeoutMs: STORE_PING_MS })) ?? false;
    const loading = [...this.#slots()].filter((slot) => slot.state.kind === "loading").map((slot) => slot.name);
    const confirmed = this.#subscriptions === "confirmed" && !stopping;
    return {
      nats: check(this.#connection?.isUp ?? false, "not connected"),
      subscriptions: check(confirmed, stopping ? "draining" : "not confirmed by the server"),
      store: check(storeUp, "not reachable"),
      plugins: check(this.#registry !== undefined && loading.length === 0, `loading: ${someOf(loading)}`),
    };
  }
}

/** The first of many names, and how many more there are. */
function someOf(names: readonly string[]): string {
  const some = names.slice(0, NAMED_PLUGINS).join(", ");
  return names.length <= NAMED_PLUGINS ? some : `${some} and ${names.length - NAMED_PLUGINS} more`;
}

function check(ready: boolean, reason: string): ReadinessCheck {
  return ready ? { ready } : { ready, reason };
}

async function openStore(options: StoreOptions, batches: BatchStats): Promise<KeyValueStore> {
  const onBatch = (kind: "read" | "write", size: BatchSize): void =>
    batches.count(kind === "read" ? "get" : "set", size);
  switch (options.kind) {
    case "mongodb":
      return await openMongoStore({ url: options.url, onBatch });
    case "sqlite":
      return await openSqliteStore({ path: options.path, onBatch });
  }
}
