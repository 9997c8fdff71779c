/**
 * The composition root: the only place that knows the concrete drivers. Starts a replica.
 *
 * Order: configuration → health → control socket → store → registry. Then `app-replica.ts` loads plugins and connects to
 * NATS at the same time → subscriptions, confirmed → ready.
 *
 * @module
 */

import { followReferences, openComponents } from "./app-components.ts";
import { ConfigReader, planOf } from "./app-config.ts";
import { openControl } from "./app-control.ts";
import { countLoads } from "./app-counting.ts";
import { openHealth } from "./app-health.ts";
import { letHeapGrow } from "./app-heap.ts";
import type { ServeOptions } from "./app-options.ts";
import { closeParts, createParts, type ReplicaParts } from "./app-parts.ts";
import { Replica } from "./app-replica.ts";
import { ReplicaStore } from "./app-store.ts";
import type { DrainOutcome } from "./consumer/consumer.ts";
import { ArtifactCache } from "./registry/artifact-cache.ts";
import { PluginLoader } from "./registry/plugin-loader.ts";
import { ReadContents } from "./registry/read-contents.ts";
import { Registry, type RegistryPlan } from "./registry/registry.ts";
import type { ReloadReport } from "./control/report.ts";
import { decideConfinement } from "./supervisor/sandbox/confinement.ts";
import { createLogger } from "./telemetry/logger.ts";
import { StandardOutput } from "./telemetry/standard-output.ts";

/** A running replica. */
export interface App {
  /** Resolves when the replica takes requests: plugins loaded, subscriptions confirmed. Rejects when it never will. */
  readonly ready: Promise<void>;
  /** Rejects when the connection to NATS ends permanently before a drain. Never resolves. */
  readonly failed: Promise<never>;
  /** Stops taking requests, answers the accepted ones, closes everything. Called again, it returns the same promise. */
  drain(reason: string): Promise<DrainOutcome>;
  /** Reads consumer file, policies and components again, whatever their times say, and applies what has changed. */
  reload(reason: string): void;
  /** The same, and resolves with what came of it once it is in force. Throws `control-timeout`, `draining`. */
  reloaded(timeoutMs: number): Promise<ReloadReport>;
}

/** Starts a replica. Throws `config-invalid` or `usage-invalid` at once; waits for NATS in the background. */
export async function startApp(options: ServeOptions): Promise<App> {
  letHeapGrow();
  const contents = new ReadContents();
  const reader = new ConfigReader(options, (path, digest) => contents.note(path, digest));
  const config = await reader.read();
  const output = new StandardOutput();
  const logger = createLogger({
    destination: options.log.write === undefined ? output : { write: options.log.write },
    level: options.log.level,
    pretty: options.log.format === "pretty",
    colour: options.log.colour,
    base: { replica: options.replicaId, group: config.consumer.group },
  });
  const parts = createParts(options, { reader, contents, config, logger, output });
  try {
    await openHealth(parts);
    await openControl(parts);
    const { store } = await openStore(parts);
    return new Replica(parts, await openRegistry(parts), store);
  } catch (error) {
    await closeParts(parts, performance.now());
    throw error;
  }
}

async function openStore({ options, counters, log, closing, open }: ReplicaParts): Promise<ReplicaStore> {
  const store = await ReplicaStore.open(options.store, {
    batches: counters.storeBatches,
    slots: () => open.registry?.slots.values() ?? [],
    changed: (kind, state) => log.storeChanged(kind, state),
  });
  open.store = closing.own("the store", store);
  return store;
}

async function openRegistry(parts: ReplicaParts): Promise<Registry> {
  const { options, logger, log, shares, contents, closing, open } = parts;
  const cache = await ArtifactCache.open(options.cacheDir, {
    maxBytes: options.cacheBytes,
    events: log.cacheEvents(options.cacheDir),
  });
  open.cache = closing.own("the artifact cache", cache);
  const confinement = await decideConfinement({ ...options, cacheDir: cache.directory });
  log.confined(confinement);
  const components = await openComponents(parts);
  const events = countLoads(log.loadEvents(), (name) => open.registry?.slots.get(name)?.stats);
  const registry = new Registry({
    loader: new PluginLoader(cache, events, { engine: options.engine, confinement, shares, contents, components }),
    plan: async (changed) => {
      const plan = await readPlan(parts, changed);
      await followReferences(parts, components, plan.specs);
      return plan;
    },
    contents,
    events: {
      ...log.registryEvents(),
      narrowed: (slot, taken, sinceMs) => {
        slot.stats.narrowed();
        log.narrowed(slot, taken, sinceMs);
      },
      // Before there is a connection this does nothing: the connection subscribes the plugins that are loaded by then.
      settled: async (slot) => open.serving?.review([slot]),
      removed: async (slot) => {
        await open.serving?.remove(slot);
        shares.forget(slot.name);
        logger.info({ plugin: slot.name }, "plugin removed");
      },
      confined: () => open.serving?.reviewRequests(),
    },
  });
  open.registry = closing.own("the plugins", registry);
  return registry;
}

async function readPlan(parts: ReplicaParts, changed: ReadonlySet<string>): Promise<RegistryPlan> {
  const { reader, configLog, settings, options, open } = parts;
  const config = await reader.read(changed);
  configLog.read(config);
  open.serving?.followWrpc(config.consumer.wrpc);
  return planOf({ ...config, consumer: settings.follow(config.consumer) }, options);
}
