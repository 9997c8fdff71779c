/**
 * The replica's store: the driver that the options name, and the watch on whether the store can do what plugins may do.
 *
 * @module
 */

import type { StoreOptions } from "./app-options.ts";
import { bitsFromLevels } from "./contract/access-levels.ts";
import type { EndedBatch } from "./kv/batch-queue.ts";
import { openMongoStore } from "./kv/drivers/mongodb.ts";
import { openSqliteStore } from "./kv/drivers/sqlite.ts";
import type { OperationKind } from "./kv/operation.ts";
import type { KeyValueStore } from "./kv/store.ts";
import { type StoreNeeds, type StoreState, StoreWatch } from "./kv/store-watch.ts";
import type { PluginSlot } from "./registry/plugin-slot.ts";
import type { BatchStats } from "./telemetry/batch-stats.ts";

/** What a replica opens its store with. */
export interface ReplicaStoreOptions {
  readonly batches: BatchStats;
  /** The plugins that the replica has at the moment of the call. */
  readonly slots: () => Iterable<PluginSlot>;
  /** See `StoreWatchOptions.changed`. */
  readonly changed: (kind: string, state: StoreState) => void;
}

/** The store, and the watch on it. */
export class ReplicaStore implements AsyncDisposable {
  readonly store: KeyValueStore;
  readonly watch: StoreWatch;
  #sinceMs = Date.now();

  private constructor(store: KeyValueStore, watch: StoreWatch) {
    this.store = store;
    this.watch = watch;
  }

  /** Opens the store. Throws `usage-invalid` for one that can never work. */
  static async open(options: StoreOptions, { batches, slots, changed }: ReplicaStoreOptions): Promise<ReplicaStore> {
    let watch: StoreWatch | undefined;
    let opened: ReplicaStore | undefined;
    const store = await openStore(options, (kind, batch) => {
      batches.count(kind === "read" ? "get" : "set", batch);
      if (kind === "write" && batch.succeeded > 0) watch?.noteWritten();
    });
    watch = new StoreWatch({
      store,
      needs: () => needsOf(slots()),
      changed: (state) => {
        if (opened !== undefined) opened.#sinceMs = Date.now();
        changed(store.kind, state);
      },
    });
    opened = new ReplicaStore(store, watch);
    return opened;
  }

  /** Since when the watch has reported its current state, in the time of `Date.now()`. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch[Symbol.dispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

/** Opens the store that the options name. Throws `usage-invalid` for one that can never work. */
export async function openStore(
  options: StoreOptions,
  onBatch: (kind: OperationKind, batch: EndedBatch) => void,
): Promise<KeyValueStore> {
  switch (options.kind) {
    case "mongodb":
      return await openMongoStore({ url: options.url, source: options.source, onBatch });
    case "sqlite":
      return await openSqliteStore({ path: options.path, onBatch });
  }
}

const READ = bitsFromLevels(["key-value-read"]);
const WRITE = bitsFromLevels(["key-value-write"]);

/** What the loaded plugins may do with the store at this moment. */
function needsOf(slots: Iterable<PluginSlot>): StoreNeeds {
  let levels = 0;
  for (const { state } of slots) {
    if (state.kind !== "loaded") continue;
    const { now } = state.version.authority;
    // A level counts only where each of the grants holds it.
    if (now.kind === "granted") levels |= now.grants.map((grant) => grant.levels).reduce((held, each) => held & each);
  }
  return { read: (levels & READ) !== 0, write: (levels & WRITE) !== 0 };
}
