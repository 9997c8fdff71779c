/**
 * A driver in memory that records its batches, and holds them or fails values of them when told to.
 *
 * @module
 */

import { HostError } from "../../../src/errors/host-error.ts";
import type { ErrorCode } from "../../../src/errors/table.ts";
import type { BatchDriver, ReadEntry, WriteEntry } from "../../../src/kv/batch-driver.ts";

/** A batch that reached the driver. */
export interface RecordedBatch {
  readonly kind: "read" | "write";
  readonly keys: readonly string[];
  readonly bytes: number;
  readonly timeoutMs: number;
}

export class ScriptedDriver implements BatchDriver {
  readonly kind = "scripted";
  readonly parallelBatches: number;
  readonly batches: RecordedBatch[] = [];
  readonly values = new Map<string, Uint8Array>();
  /** Key → the error of every operation on it. */
  readonly failures = new Map<string, ErrorCode>();
  mostUnderWay = 0;
  isClosed = false;
  #underWay = 0;
  #gate: Promise<void> | undefined;

  constructor(parallelBatches = 1) {
    this.parallelBatches = parallelBatches;
  }

  /** From now on batches wait, before anything of them is sent, until the function it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  async readBatch(entries: readonly ReadEntry[], timeoutMs: number): Promise<void> {
    await this.#perform("read", entries, timeoutMs, (entry) => entry.succeed(this.values.get(entry.address.key)));
  }

  async writeBatch(entries: readonly WriteEntry[], timeoutMs: number): Promise<void> {
    await this.#perform("write", entries, timeoutMs, (entry) => {
      this.values.set(entry.address.key, entry.value);
      entry.succeed();
    });
  }

  async ping(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
  }

  async #perform<E extends ReadEntry | WriteEntry>(
    kind: RecordedBatch["kind"],
    entries: readonly E[],
    timeoutMs: number,
    perform: (entry: E) => void,
  ): Promise<void> {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    this.batches.push({ kind, keys: entries.map(({ address }) => address.key), bytes, timeoutMs });
    this.#underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay);
    await this.#gate;
    for (const entry of entries.filter(({ isWaitedFor }) => isWaitedFor)) {
      entry.send();
      const failure = this.failures.get(entry.address.key);
      if (failure === undefined) perform(entry);
      else entry.fail(new HostError(failure));
    }
    this.#underWay -= 1;
  }
}
