/**
 * The guest side of the key-value store.
 *
 * @module
 */

import { operationError } from "../../../runner/guest/guest-values.ts";
import type { GuestSide } from "../../guest-side.ts";
import { KEY_VALUE } from "../definition.ts";
import type { KeyValueToGuest } from "../messages.ts";
import { createKeyValueStore } from "./key-value-store.ts";
import { KeyValueLink, type KeyValuePort } from "./link.ts";

export const KEY_VALUE_GUEST: GuestSide<KeyValueToGuest, KeyValuePort> = {
  capability: KEY_VALUE.name,
  interfaces: { "local:network-host/key-value-store": createKeyValueStore },
  link: {
    denied: { perform: () => Promise.resolve({ kind: "error", message: operationError("access-denied") }) },
    open: (send) => new KeyValueLink(send),
  },
};
