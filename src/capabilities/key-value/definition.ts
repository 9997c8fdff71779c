/**
 * The contract's `key-value-store`: `get` and `set` of values in buckets.
 *
 * @module
 */

import type { Capability } from "../capability.ts";
import { TO_GUEST, TO_HOST } from "./messages.ts";

export const KEY_VALUE = {
  name: "key-value",
  interfaces: ["local:network-host/key-value-store"],
  entry: "local:network-host/key-value-store",
  suspending: [
    "local:network-host/key-value-store#[method]key-value-store.get",
    "local:network-host/key-value-store#[method]key-value-store.set",
  ],
  alike: ["local:network-host/key-value-store#[constructor]key-value-store"],
  operations: { get: "key-value-read", set: "key-value-write" },
  counter: {
    name: "network_host_kv_operations_total",
    help: "Operations on the key-value store, by plugin, operation and outcome.",
    hasOperationLabel: true,
    deniedOutcome: "access-denied",
  },
  messages: { toHost: TO_HOST, toGuest: TO_GUEST },
} as const satisfies Capability;
