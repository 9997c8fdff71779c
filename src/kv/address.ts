/**
 * An address as one string that identifies a value.
 *
 * @module
 */

import type { KeyAddress } from "./store.ts";

/**
 * The id of an address, different for different addresses: neither an encoded name nor an encoded bucket
 * holds a slash, and everything behind the third one is the key, as it is.
 */
export function addressId({ namespace, bucket, key }: KeyAddress): string {
  const name = namespace.kind === "private" ? namespace.plugin : namespace.name;
  return `${namespace.kind}/${encodeURIComponent(name)}/${encodeURIComponent(bucket)}/${key}`;
}
