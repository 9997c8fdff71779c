/**
 * The limits that hold for one plugin. Pure.
 *
 * @module
 */

import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../contract/limits.ts";

/** For every limit: the policy's value, else the consumer group's, else the table's default. */
export function resolveLimits(
  consumerLimits: Partial<PluginLimits>,
  policyLimits: Partial<PluginLimits>,
): PluginLimits {
  return { ...DEFAULT_PLUGIN_LIMITS, ...consumerLimits, ...policyLimits };
}
