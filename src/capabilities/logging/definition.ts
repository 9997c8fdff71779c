/**
 * The contract's `logging`. A plugin's log takes the same way as its output, which is a part of each call. So the capability
 * has no messages of its own, needs no access level and is not counted as an operation.
 *
 * @module
 */

import type { Capability } from "../capability.ts";

export const LOGGING = {
  name: "logging",
  interfaces: ["local:network-host/logging"],
  entry: "local:network-host/logging",
  suspending: [],
  alike: ["local:network-host/logging"],
  operations: {},
  messages: { toHost: {}, toGuest: {} },
} as const satisfies Capability;
