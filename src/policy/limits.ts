/**
 * The limits that apply to one plugin. Pure.
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

/** The lower value of each limit. */
export function lowerLimits(one: PluginLimits, other: PluginLimits): PluginLimits {
  if (one === other) return one;
  const entries = Object.entries(one) as [keyof PluginLimits, number][];
  return Object.fromEntries(entries.map(([name, value]) => [name, Math.min(value, other[name])])) as PluginLimits;
}

/** Are all values equal? */
export function isSameLimits(one: PluginLimits, other: PluginLimits): boolean {
  return one === other || (Object.keys(one) as (keyof PluginLimits)[]).every((name) => one[name] === other[name]);
}
