/**
 * The store of a test: a driver behind the queues, times and errors of every store, so that a slow or failing store ends an
 * operation as MongoDB would.
 *
 * @module
 */

import type { BucketName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { BatchDriver, ReadEntry, WriteEntry } from "../kv/batch-driver.ts";
import { createCoalescingStore } from "../kv/coalescing-store.ts";
import type { Entry } from "../kv/entry.ts";
import type { OperationKind } from "../kv/operation.ts";
import type { KeyAddress, KeyValueStore } from "../kv/store.ts";
import type { Policy } from "../policy/policy.ts";
import type { KeyName, SceneKeys } from "./scene-keys.ts";
import type { Stage } from "./scene.ts";

/** Slow operations keep no others waiting. */
const PARALLEL_BATCHES = 1_024;

/** The store whose content is that of the scene that is on. `policy` is that of the plugin at the moment of the call. */
export function createScriptedStore(stage: Stage, policy: () => Policy | undefined): KeyValueStore {
  return createCoalescingStore(new SceneDriver(stage, policy));
}

class SceneDriver implements BatchDriver {
  readonly kind = "test";
  readonly parallelBatches = PARALLEL_BATCHES;
  readonly #stage: Stage;
  readonly #policy: () => Policy | undefined;

  constructor(stage: Stage, policy: () => Policy | undefined) {
    this.#stage = stage;
    this.#policy = policy;
  }

  async readBatch(entries: readonly ReadEntry[]): Promise<void> {
    await Promise.all(
      entries.map((entry) => this.#perform("read", entry, (keys, name) => entry.succeed(keys.read(name)))),
    );
  }

  async writeBatch(entries: readonly WriteEntry[]): Promise<void> {
    await Promise.all(
      entries.map((entry) =>
        this.#perform("write", entry, (keys, name) => {
          keys.write(name, entry.value);
          entry.succeed();
        }),
      ),
    );
  }

  async ping(): Promise<void> {
    // A scene is always there.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stage.scene.end();
  }

  async #perform<Result>(
    kind: OperationKind,
    entry: Entry<Result>,
    succeed: (keys: SceneKeys, name: KeyName) => void,
  ): Promise<void> {
    if (!entry.isWaitedFor) return;
    const { scene } = this.#stage;
    const name = this.#nameOf(entry.address);
    const { delayMs, fail } = scene.keys.misbehave(kind, name);
    entry.send();
    if (!(await scene.pause(delayMs))) entry.fail(new HostError("store-unavailable", "the test is over"));
    else if (fail !== undefined) entry.fail(new HostError(fail, "the test wants this error"));
    else succeed(scene.keys, name);
  }

  /** A shared bucket has the name that the plugin uses for it. */
  #nameOf({ namespace, bucket, key }: KeyAddress): KeyName {
    if (namespace.kind === "private") return { bucket, key };
    for (const [name, shared] of this.#policy()?.buckets.shared ?? [])
      if (shared === bucket) return { bucket: name, key };
    return { bucket: bucket satisfies BucketName, key };
  }
}
