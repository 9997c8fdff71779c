/**
 * The port for managing the data itself: listing a namespace, reading all of its values, and removing them. A
 * replica does not use it; values are set through the store's own port.
 *
 * @module
 */

import type { Namespace } from "./store.ts";

/** How much a bucket holds. */
export interface BucketSize {
  readonly namespace: Namespace;
  readonly bucket: string;
  readonly keys: number;
  /** Bytes of its values. */
  readonly bytes: number;
}

/** One value. */
export interface DataEntry {
  readonly bucket: string;
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * The data of a store. Errors are those of the store's port: `store-unavailable`, `store-timeout`, and of a removal
 * `store-outcome-unknown`.
 */
export interface StoreData extends AsyncDisposable {
  /** The buckets of one namespace, or of all but the host's own; in order. */
  sizes(namespace?: Namespace): Promise<BucketSize[]>;
  /** Every value of a namespace, by bucket and key, one or a few at a time in memory. What is written meanwhile may be among them. */
  entries(namespace: Namespace): AsyncIterable<DataEntry>;
  /** Removes every value of a namespace; answers with how many there were. */
  remove(namespace: Namespace): Promise<number>;
}

/** The namespace of the host's own values: no plugin's name has parentheses. */
export const HOST_NAMESPACE = "(host)";
