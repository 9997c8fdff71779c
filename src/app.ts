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
import type { ServeOptions } from "./app-options.ts";
import { Closing, within } from "./app-closing.ts";
import { logLink, natsReadiness } from "./app-nats.ts";
import { loadSource, logPresence, pluginReadiness } from "./app-plugins.ts";
import { ReplicaSettings } from "./app-settings.ts";
import { ReplicaStore } from "./app-store.ts";
import { AdmissionGate } from "./consumer/admission.ts";
import { Consumer, type DrainOutcome } from "./consumer/consumer.ts";
import { Discovery } from "./consumer/discovery.ts";
import { Presence } from "./consumer/presence.ts";
import { RequestHandler } from "./consumer/request-handler.ts";
import { newRequestId } from "./consumer/request-id.ts";
import { describeServices } from "./consumer/service-description.ts";
import { requestSubject } from "./contract/protocol.ts";
import { createUndiciHttp } from "./egress/undici/client.ts";
import { HostError } from "./errors/host-error.ts";
import type { KeyValueStore } from "./kv/store.ts";
import { findCapturingStreams } from "./nats/capturing-streams.ts";
import { natsError } from "./nats/connection.ts";
import { ReplicaLink } from "./nats/replica-link.ts";
import { connectReplica } from "./nats/replica-connection.ts";
import { adviceWithoutServer } from "./nats/no-server.ts";
import { ArtifactCache } from "./registry/artifact-cache.ts";
import { PluginLoader } from "./registry/plugin-loader.ts";
import { ReadContents } from "./registry/read-contents.ts";
import { Registry, type RegistryPlan } from "./registry/registry.ts";
import { decideConfinement } from "./supervisor/sandbox/confinement.ts";
import { ThreadShares } from "./fairness/thread-shares.ts";
import { BatchStats } from "./telemetry/batch-stats.ts";
import { FolderSize } from "./telemetry/folder-size.ts";
import { startHealthServer, type Readiness, type ReadinessCheck } from "./telemetry/health-server.ts";
import { loadMetrics } from "./telemetry/load-metrics.ts";
import { createLogger, type Logger } from "./telemetry/logger.ts";
import { natsMetrics } from "./telemetry/nats-metrics.ts";
import { NatsStats } from "./telemetry/nats-stats.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { replicaMetrics } from "./telemetry/replica-metrics.ts";
import { StandardOutput } from "./telemetry/standard-output.ts";
import { programVersion } from "./version.ts";

/** A running replica. */
export interface App {
  /** Resolves when requests are taken: plugins loaded, subscriptions confirmed. Rejects when that can never be. */
  readonly ready: Promise<void>;
  /** Rejects when a ready replica cannot go on. Never resolves. */
  readonly failed: Promise<never>;
  /** Stops taking requests, answers the accepted ones, closes everything. Called again, it returns the same promise. */
  drain(reason: string): Promise<DrainOutcome>;
  /** Reads consumer file, policies and components again, whatever their times say. What changed is followed as ever. */
  reload(reason: string): void;
}

/** What closing a part has where the grace of a stop is over. */
const CLOSE_LEAST_MS = 1_000;

/** Starts a replica. Throws `config-invalid` or `usage-invalid` at once; waits for NATS in the background. */
export async function startApp(options: ServeOptions): Promise<App> {
  letHeapGrow();
  const contents = new ReadContents();
  const reader = new ConfigReader(options, (path, digest) => contents.note(path, digest));
  const config = await reader.read();
  const output = new StandardOutput();
  const logger = createLogger({
    destination: output,
    level: options.log.level,
    pretty: options.log.format === "pretty",
    colour: options.log.colour,
    base: { replica: options.replicaId, group: config.consumer.group },
  });
  const replica = new Replica(options, { reader, contents, config }, logger, output);
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
  readonly #output: StandardOutput;
  readonly #log: AppLog;
  readonly #configLog: ConfigLog;
  readonly #owned = new Closing();
  readonly #stopping = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #started = new Date();
  readonly #storeBatches = new BatchStats();
  readonly #natsStats = new NatsStats();
  readonly #shares = new ThreadShares();
  readonly #cacheSize: FolderSize;
  #cache: ArtifactCache | undefined;
  #registry: Registry | undefined;
  #store: ReplicaStore | undefined;
  #link: ReplicaLink | undefined;
  #handler: RequestHandler | undefined;
  #consumer: Consumer | undefined;
  #presence: Presence | undefined;
  #starting: Promise<void> = Promise.resolve();
  #draining: Promise<DrainOutcome> | undefined;

  constructor(options: ServeOptions, sources: ReplicaSources, logger: Logger, output: StandardOutput) {
    this.#options = options;
    this.#sources = sources;
    this.#settings = new ReplicaSettings(sources.config.consumer, logger);
    this.#logger = logger;
    this.#output = output;
    this.#cacheSize = new FolderSize(options.cacheDir);
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
      this.#store = this.#owned.own("the store", await this.#openStore());
      this.#registry = this.#owned.own("the plugins", await this.#openRegistry());
    } catch (error) {
      await this.#close(performance.now());
      throw error;
    }
    this.#starting = this.#start(this.#registry, this.#store.store);
  }

  drain(reason: string): Promise<DrainOutcome> {
    this.#draining ??= this.#drain(reason);
    return this.#draining;
  }

  reload(reason: string): void {
    if (this.#stopping.signal.aborted || this.#registry === undefined) return;
    this.#logger.info({ reason }, "the files are read again");
    this.#registry.reread();
  }

  async #openHealth(): Promise<void> {
    const { health } = this.#options;
    if (health === undefined) return;
    const server = await startHealthServer({
      ...health,
      readiness: () => this.#readiness(),
      metrics: this.#createMetrics(),
      failed: (error) => this.#logger.error({ err: error }, "the health server could not answer"),
    });
    this.#owned.own("the health server", server);
    this.#logger.info({ url: server.url }, "health and metrics are served");
  }

  #createMetrics(): Metrics {
    const plugins = () => [...this.#slots()].map((slot) => slot.stats);
    const unusableFiles = () => this.#configLog.unusableFiles;
    return createMetrics({ plugins, storeBatches: this.#storeBatches, unusableFiles }, [
      replicaMetrics({
        version: programVersion(),
        storeUp: () => this.#store?.watch.state.kind === "up",
        droppedLogRecords: () => this.#output.dropped,
        cacheBytes: () => this.#cacheSize.bytes,
        cacheFallenBack: () => this.#cache?.isFallenBack ?? false,
      }),
      natsMetrics(this.#natsStats),
      loadMetrics(loadSource(() => this.#registry)),
    ]);
  }

  #openStore(): Promise<ReplicaStore> {
    return ReplicaStore.open(this.#options.store, {
      batches: this.#storeBatches,
      slots: () => this.#slots(),
      changed: (kind, state) => this.#log.storeChanged(kind, state),
    });
  }

  async #openRegistry(): Promise<Registry> {
    const cache = await ArtifactCache.open(this.#options.cacheDir, {
      maxBytes: this.#options.cacheBytes,
      events: this.#log.cacheEvents(this.#options.cacheDir),
    });
    this.#cache = this.#owned.own("the artifact cache", cache);
    const confinement = await decideConfinement({ ...this.#options, cacheDir: cache.directory });
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
        // Before there is a connection this does nothing: `#serve` subscribes to what is loaded by then.
        settled: async (slot) => this.#presence?.review([slot]),
        removed: async (slot) => {
          await this.#presence?.remove(slot);
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
      const [link] = await Promise.all([
        this.#connect().then((connection) => this.#serve(connection, registry, store)),
        loaded,
      ]);
      if (link === undefined || this.#stopping.signal.aborted) return;
      await this.#presence?.review(registry.slots.values());
      await this.#unlessStopped(link.subscriptions.whenHeld());
      if (this.#stopping.signal.aborted) return;
      this.#log.ready(registry.slots.values(), link.server);
      this.#ready.resolve();
      void this.#lookForStreams(registry);
    } catch (error) {
      this.#ready.reject(error);
    }
  }

  async #connect(): Promise<NatsConnection | undefined> {
    const { nats, replicaId } = this.#options;
    const connection = await connectReplica({
      nats,
      name: `network-host ${replicaId}`,
      pingIntervalMs: this.#options.natsPingMs,
      signal: this.#stopping.signal,
      failed: (error, delayMs) => {
        const advice = adviceWithoutServer(error.message, nats.servers);
        this.#logger.warn({ err: error, servers: nats.servers, delayMs, advice }, "waiting for NATS");
      },
      warned: (error) => this.#logger.warn({ err: error }, "what the file held last is used"),
    });
    return connection;
  }

  /** Begins to serve what is loaded by now; the rest follows as it is loaded. */
  async #serve(
    connection: NatsConnection | undefined,
    registry: Registry,
    store: KeyValueStore,
  ): Promise<ReplicaLink | undefined> {
    if (connection === undefined) return undefined;
    const link = this.#openLink(connection);
    if (this.#stopping.signal.aborted) return undefined;
    const { group } = this.#settings;
    const admission = new AdmissionGate(() => this.#settings.concurrency);
    const logger = this.#logger;
    const handler = new RequestHandler({ replies: link.replies, logger, newId: newRequestId });
    this.#handler = handler;
    const http = createUndiciHttp();
    const consumer = new Consumer({ link, group, handler, admission, store, http, shares: this.#shares, logger });
    this.#consumer = consumer;
    const identity = { group, replicaId: this.#options.replicaId, started: this.#started };
    const discovery = new Discovery({
      subscriptions: link.subscriptions,
      services: () => describeServices(registry.slots.values(), identity),
      maxPayloadBytes: () => link.replies.maxPayloadBytes,
      unanswerable: (plugin) =>
        logger.warn({ plugin }, "a question of discovery is not answered: the NATS server's max_payload is too small"),
    });
    discovery.open();
    this.#presence = new Presence({
      consumer,
      isServedElsewhere: (plugin) => link.isServedElsewhere(plugin, this.#options.replicaId),
      events: logPresence(logger),
    });
    void this.#presence.review([...registry.slots.values()].filter(({ state }) => state.kind !== "loading"));
    return link;
  }

  /** Streams that answer the requests of its plugins are of the server's configuration: a warning is all there is. */
  async #lookForStreams(registry: Registry): Promise<void> {
    const { nats, replicaId } = this.#options;
    const subjects = [...registry.slots.keys()].map((plugin) => requestSubject(plugin));
    try {
      const streams = await findCapturingStreams(nats, `network-host ${replicaId}, its start`, subjects);
      for (const { name, subjects: captured } of streams) this.#log.streamAnswers(name, captured);
    } catch (error) {
      this.#logger.debug(
        { err: natsError(error, "looking for streams") },
        "whether a stream takes requests is not known",
      );
    }
  }

  #openLink(connection: NatsConnection): ReplicaLink {
    const link = new ReplicaLink({
      connection,
      stats: this.#natsStats,
      events: logLink(this.#logger, (error) => {
        if (!this.#stopping.signal.aborted) this.#failed.reject(error);
      }),
    });
    this.#owned.defer("the connection to NATS", (signal) => link.close(signal));
    this.#link = link;
    return link;
  }

  async #drain(reason: string): Promise<DrainOutcome> {
    const { drainMs } = this.#settings;
    const untilMs = performance.now() + drainMs;
    this.#logger.info({ reason, graceMs: drainMs }, "draining");
    this.#stopping.abort();
    this.#registry?.giveUpLoads();
    this.#presence?.close();
    // A start under way ends first: it may be about to subscribe.
    await within(drainMs, () => this.#starting);
    const outcome = (await this.#consumer?.drain(Math.max(0, untilMs - performance.now()))) ?? "clean";
    if (outcome === "forced") this.#logger.error({ err: new HostError("drain-timeout") }, "requests were cut off");
    await this.#close(untilMs);
    this.#logger.info({ outcome }, "stopped");
    this.#logger.flush();
    return outcome;
  }

  /** Never rejects. */
  async #close(untilMs: number): Promise<void> {
    await this.#owned.close({
      untilMs,
      leastMs: CLOSE_LEAST_MS,
      failed: (what, error) =>
        this.#logger.error({ err: error, detail: what }, "not everything could be closed in order"),
    });
  }

  /** Waits no longer than until the replica stops. */
  async #unlessStopped(promise: Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    const stopped = Promise.withResolvers<void>();
    const stop = (): void => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([promise, stopped.promise]).finally(() => signal.removeEventListener("abort", stop));
  }

  *#slots() {
    if (this.#registry !== undefined) yield* this.#registry.slots.values();
  }

  async #readiness(): Promise<Readiness> {
    const stopping = this.#stopping.signal.aborted;
    const store = await this.#store?.watch.look();
    return {
      ...natsReadiness(this.#link, stopping ? "draining" : "running"),
      store: check(store?.kind === "up", store?.kind === "down" ? store.reason : "not open"),
      plugins: pluginReadiness(this.#registry),
    };
  }
}

function check(ready: boolean, reason: string): ReadinessCheck {
  return ready ? { ready } : { ready, reason };
}
