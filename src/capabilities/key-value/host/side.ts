/**
 * The host side of the key-value store.
 *
 * @module
 */

import type { HostSide } from "../../host-side.ts";
import { KEY_VALUE } from "../definition.ts";
import type { KeyValueToHost } from "../messages.ts";
import { KeyValueGate } from "./gate.ts";
import { KeyValueLink } from "./link.ts";

export const KEY_VALUE_HOST: HostSide<KeyValueToHost, KeyValueGate> = {
  capability: KEY_VALUE.name,
  openLink: (parts) => new KeyValueLink(parts),
  createGate: (parts) => new KeyValueGate(parts),
};
