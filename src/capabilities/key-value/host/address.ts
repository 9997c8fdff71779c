/**
 * Decides which address in the store a plugin's request means, or why it is refused. Pure: the store is not involved until
 * the answer is "allowed".
 *
 * @module
 */

import { type BucketName, isBucketName } from "../../../contract/names.ts";
import type { PluginLimits } from "../../../contract/limits.ts";
import type { KeyAddress, Namespace } from "../../../kv/store.ts";
import type { Grant } from "../../../policy/policy.ts";
import { refused, type Refusal } from "../../host-check.ts";

/** The limits on keys and values. */
export type KeyValueLimits = Pick<PluginLimits, "keyBytes" | "valueBytes">;

/** The address of a value that the plugin may use, or the refusal. */
export type AddressDecision = { readonly kind: "allowed"; readonly address: KeyAddress } | Refusal;

/**
 * Decides which value a plugin's bucket and key mean. Each of the grants must allow it, and all must mean the same bucket: a
 * name that was private under one grant and is shared under another means neither.
 */
export function decideAddress(
  [grant, ...others]: readonly [Grant, ...Grant[]],
  limits: KeyValueLimits,
  bucket: string,
  key: string,
): AddressDecision {
  const place = decideBucket(grant, bucket);
  if (place.kind === "refused") return place;
  for (const other of others) {
    const under = decideBucket(other, bucket);
    if (under.kind === "refused") return under;
    if (under.bucket !== place.bucket || under.namespace.kind !== place.namespace.kind) return bucketDenied();
  }
  const refusal = refuseKey(key, limits);
  if (refusal !== undefined) return refusal;
  return { kind: "allowed", address: { namespace: place.namespace, bucket: place.bucket, key } };
}

/** The refusal of a value that is too large; `undefined` for any other. */
export function refuseValue(value: Uint8Array, limits: KeyValueLimits): Refusal | undefined {
  if (value.length <= limits.valueBytes) return undefined;
  return refused("value-too-large", `the value has ${value.length} bytes, at most ${limits.valueBytes} are allowed.`);
}

type BucketDecision =
  | { readonly kind: "allowed"; readonly namespace: Namespace; readonly bucket: BucketName }
  | Refusal;

function decideBucket({ plugin, buckets }: Grant, bucket: string): BucketDecision {
  // The maps and lists of a grant hold only parsed names, so a name found there is valid.
  const shared = buckets.shared.get(bucket as BucketName);
  if (shared !== undefined) {
    // Plugins may call one shared bucket by different names: only its own name says where it is.
    return { kind: "allowed", namespace: { kind: "shared", name: shared }, bucket: shared };
  }
  if (buckets.private !== "any" && !buckets.private.includes(bucket as BucketName)) return bucketDenied();
  if (!isBucketName(bucket))
    return refused("invalid-bucket", "a bucket's name is 1 to 128 of the characters a-z, A-Z, 0-9, '.', '_' and '-'.");
  return { kind: "allowed", namespace: { kind: "private", plugin }, bucket };
}

function bucketDenied(): Refusal {
  return refused("access-denied", "the plugin's grant does not hold this bucket.");
}

function refuseKey(key: string, limits: KeyValueLimits): Refusal | undefined {
  // A lone surrogate has no encoding in UTF-8: different keys would be stored as one.
  if (key === "" || !key.isWellFormed()) return refused("invalid-key", "a key is 1 byte or more of UTF-8.");
  const keyBytes = Buffer.byteLength(key, "utf8");
  if (keyBytes <= limits.keyBytes) return undefined;
  return refused("invalid-key", `the key has ${keyBytes} bytes, at most ${limits.keyBytes} are allowed.`);
}
