/**
 * The values of a scene, by bucket as the plugin names it, and the faults of its store. Pure.
 *
 * @module
 */

import type { KeysByBucket, StoreFault } from "../config/test-case.ts";
import type { BucketName } from "../contract/names.ts";
import type { OperationKind } from "../kv/operation.ts";

/** The value that an operation is on. */
export interface KeyName {
  readonly bucket: BucketName;
  readonly key: string;
}

/** What a store does with an operation besides performing it. */
export interface Misbehaviour {
  readonly delayMs: number;
  readonly fail: StoreFault["fail"];
}

const NONE: Misbehaviour = { delayMs: 0, fail: undefined };

/** The values, and what goes wrong with them. */
export class SceneKeys {
  readonly #values = new Map<BucketName, Map<string, Uint8Array>>();
  readonly #faults: { readonly fault: StoreFault; met: number }[];

  constructor(keys: KeysByBucket<Uint8Array>, faults: readonly StoreFault[]) {
    for (const [bucket, values] of keys) this.#values.set(bucket, new Map(values));
    this.#faults = faults.map((fault) => ({ fault, met: 0 }));
  }

  read({ bucket, key }: KeyName): Uint8Array | undefined {
    return this.#values.get(bucket)?.get(key);
  }

  write({ bucket, key }: KeyName, value: Uint8Array): void {
    let values = this.#values.get(bucket);
    if (values === undefined) this.#values.set(bucket, (values = new Map()));
    values.set(key, value);
  }

  /** The values of a bucket as they are now. */
  bucket(name: string): ReadonlyMap<string, Uint8Array> {
    return this.#values.get(name as BucketName) ?? new Map<string, Uint8Array>();
  }

  /** The first fault that applies to the operation; it counts against that fault's times. */
  misbehave(kind: OperationKind, name: KeyName): Misbehaviour {
    for (const entry of this.#faults) {
      const { fault } = entry;
      if (!concerns(fault, kind, name)) continue;
      entry.met += 1;
      const applied = entry.met - fault.skip;
      if (applied >= 1 && applied <= (fault.times ?? Infinity)) return fault;
    }
    return NONE;
  }

  /** Indexes of the faults that no operation has met. */
  get unmetFaults(): readonly number[] {
    return this.#faults.flatMap(({ fault, met }, index) => (met > fault.skip ? [] : [index]));
  }
}

function concerns({ on, bucket, key }: StoreFault, kind: OperationKind, name: KeyName): boolean {
  if (on !== "any" && (on === "get") !== (kind === "read")) return false;
  return (bucket ?? name.bucket) === name.bucket && (key ?? name.key) === name.key;
}
