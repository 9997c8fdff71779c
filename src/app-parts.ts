/**
 * The parts of a replica: those that it has from the beginning, and those that it opens one after another while it starts.
 *
 * @module
 */

import { Closing } from "./app-closing.ts";
import type { ConfigReader, ReplicaConfig } from "./app-config.ts";
import { ConfigLog } from "./app-config-log.ts";
import { AppLog } from "./app-log.ts";
import type { ServeOptions } from "./app-options.ts";
import type { Serving } from "./app-serving.ts";
import { ReplicaSettings } from "./app-settings.ts";
import type { ReplicaStore } from "./app-store.ts";
import { ThreadShares } from "./fairness/thread-shares.ts";
import type { ArtifactCache } from "./registry/artifact-cache.ts";
import type { ReadContents } from "./registry/read-contents.ts";
import type { Registry } from "./registry/registry.ts";
import { BatchStats } from "./telemetry/batch-stats.ts";
import { FolderSize } from "./telemetry/folder-size.ts";
import type { Logger } from "./telemetry/logger.ts";
import { NatsStats } from "./telemetry/nats-stats.ts";
import type { StandardOutput } from "./telemetry/standard-output.ts";
import { WrpcStats } from "./telemetry/wrpc-stats.ts";

/** The parts that have been opened so far. */
export interface OpenParts {
  store?: ReplicaStore;
  cache?: ArtifactCache;
  registry?: Registry;
  serving?: Serving;
}

/** Counters for metrics that are not of a plugin. */
export interface ReplicaCounters {
  readonly storeBatches: BatchStats;
  readonly nats: NatsStats;
  readonly wrpc: WrpcStats;
}

/** The files that a replica was started with, and its log. */
export interface ReplicaSources {
  readonly reader: ConfigReader;
  /** The contents that were read of the files. */
  readonly contents: ReadContents;
  /** The content of the files at the start. */
  readonly config: ReplicaConfig;
  readonly logger: Logger;
  readonly output: StandardOutput;
}

export interface ReplicaParts extends ReplicaSources {
  readonly options: ServeOptions;
  readonly settings: ReplicaSettings;
  readonly log: AppLog;
  readonly configLog: ConfigLog;
  readonly counters: ReplicaCounters;
  readonly cacheSize: FolderSize;
  readonly shares: ThreadShares;
  readonly started: Date;
  /** Closes what was opened. */
  readonly closing: Closing;
  /** Resolves when the replica takes requests for the first time; rejects when it never will. */
  readonly ready: PromiseWithResolvers<void>;
  /** Aborted when the replica begins to stop. */
  readonly stopping: AbortController;
  readonly open: OpenParts;
}

/** Makes the parts of a replica, none of them open. */
export function createParts(options: ServeOptions, sources: ReplicaSources): ReplicaParts {
  const { config, logger } = sources;
  return {
    ...sources,
    options,
    settings: new ReplicaSettings(config.consumer, logger),
    log: new AppLog(logger, options.policy.folder),
    configLog: new ConfigLog(logger),
    counters: { storeBatches: new BatchStats(), nats: new NatsStats(), wrpc: new WrpcStats() },
    cacheSize: new FolderSize(options.cacheDir),
    shares: new ThreadShares(),
    started: new Date(),
    closing: new Closing(),
    ready: Promise.withResolvers<void>(),
    stopping: new AbortController(),
    open: {},
  };
}

/** The time that closing a part has even after the grace period of a drain. */
const CLOSE_LEAST_MS = 1_000;

/** Closes what is open. Never rejects. */
export async function closeParts({ closing, logger }: ReplicaParts, untilMs: number): Promise<void> {
  await closing.close({
    untilMs,
    leastMs: CLOSE_LEAST_MS,
    failed: (what, error) => logger.error({ err: error, detail: what }, "something could not be closed cleanly"),
  });
}
