/**
 * The key-value store's port. `coalescing-store.ts` implements it over a driver (drivers/); the broker is its
 * only user. The port knows nothing of grants: by the time an operation gets here it has been allowed.
 *
 * @module
 */

import type { BucketName } from "../contract/names.ts";

/**
 * Where a bucket lives: private to one plugin, or shared by name. Two different namespaces never hold the
 * same data, whatever their buckets and keys are called.
 */
export type Namespace =
  | { readonly kind: "private"; readonly plugin: string }
  | { readonly kind: "shared"; readonly name: string };

/**
 * The full address of one value. `key` is well-formed Unicode, compared by its exact
 * UTF-8 bytes, never normalised or parsed.
 */
export interface KeyAddress {
  readonly namespace: Namespace;
  readonly bucket: BucketName;
  readonly key: string;
}

/** Bounds of one operation. */
export interface OperationOptions {
  /** The operation settles before this many milliseconds have passed. */
  readonly timeoutMs: number;
  /** The plugin whose operation it is: where more waits than goes at once, plugins take turns. By default the namespace's name. */
  readonly caller?: string;
  /**
   * Asked whenever it is about to be sent: one that is not wanted any more is not, and fails with `store-unavailable`.
   * Must not throw. By default it is.
   */
  readonly isWanted?: () => boolean;
}

/** What is wrong between a store and its servers. */
export interface StoreTrouble {
  /** `cut-off`: no operation can be sent. `impaired`: some servers are missing. */
  readonly kind: "cut-off" | "impaired";
  /** For the log: it holds no credential. */
  readonly reason: string;
}

/**
 * A key-value store. A plugin reads its own writes; a write is atomic (a reader sees the old or the new
 * value, whole) and, on a replica set, majority-durable once acknowledged.
 *
 * Errors of both operations: `store-unavailable` (nothing was done), `store-timeout` (a read),
 * `store-outcome-unknown` (a write that may or may not have happened). Nothing else is thrown.
 */
export interface KeyValueStore extends AsyncDisposable {
  /** Human-readable kind of the driver for the log, without any credential: `mongodb`, `sqlite`. */
  readonly kind: string;
  /** The value, or `undefined` where none was ever set. An empty value is a value. It must not be changed: readers may share it. */
  get(address: KeyAddress, options: OperationOptions): Promise<Uint8Array | undefined>;
  /** Sets the value whole. `value` must not be changed any more, not even when the promise has settled. */
  set(address: KeyAddress, value: Uint8Array, options: OperationOptions): Promise<void>;
  /** Resolves if the store can be reached now, whatever it may be asked for. Rejects with `store-unavailable` if not. */
  ping(options: OperationOptions): Promise<void>;
  /** What keeps it from its servers, as far as it knows: an operation's error may only say that nothing came. */
  trouble(): StoreTrouble | undefined;
}
