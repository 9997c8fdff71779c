/**
 * The policy for trying a plugin without a policy file: what the component requests, and no more. Buckets are its own,
 * and it may call no host but those named. Pure.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { PluginName } from "../contract/names.ts";
import { createPolicy } from "./create-policy.ts";
import type { AllowedHost, Policy } from "./policy.ts";

/** A policy that allows the requested levels, every private bucket, and these hosts. */
export function requestedPolicy(
  plugin: PluginName,
  requested: AccessLevelBits,
  hosts: readonly AllowedHost[] = [],
): Policy {
  return createPolicy({
    plugin,
    allow: requested,
    buckets: { private: "any", shared: new Map() },
    hosts,
    limits: {},
  });
}
