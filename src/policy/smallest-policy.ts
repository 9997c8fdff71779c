/**
 * Writes the policy file that would allow what a plugin requests and nothing beyond it. Pure.
 *
 * @module
 */

import {
  type AccessLevelBits,
  ALL_ACCESS_LEVEL_BITS,
  bitsFromLevels,
  levelsFromBits,
} from "../contract/access-levels.ts";
import type { PluginName } from "../contract/names.ts";
import { describeLevels } from "./decide.ts";

const KEY_VALUE = bitsFromLevels(["key-value-read", "key-value-write"]);
const OUTBOUND_HTTP = bitsFromLevels(["outbound-http"]);

/** Names that YAML takes for a text without quotes; others may be numbers, booleans or null. */
const PLAIN_NAME = /^(?!(?:true|false|null)$)[a-z]/;

/**
 * The text of `policy/<plugin>.yaml`. Which buckets and hosts the plugin uses cannot be told from its levels:
 * buckets stay at their default (any private one) and hosts at none, each with a comment on how to change it.
 */
export function smallestPolicy(plugin: PluginName, requested: AccessLevelBits): string {
  const known = requested & ALL_ACCESS_LEVEL_BITS;
  const unknown = (requested & ~ALL_ACCESS_LEVEL_BITS) >>> 0;
  const lines = [
    "# yaml-language-server: $schema=../schemas/policy.schema.json",
    `plugin: ${PLAIN_NAME.test(plugin) ? plugin : JSON.stringify(plugin)}`,
    `allow: [${levelsFromBits(known).join(", ")}]`,
  ];
  for (const level of describeLevels(unknown)) {
    lines.push(`# The plugin also requests an ${level}. No policy can allow it: the plugin stays denied.`);
  }
  if ((known & KEY_VALUE) !== 0) {
    lines.push("# Any private bucket; to allow only some, name them:", "# buckets:", "#   private: [user-data]");
  }
  if ((known & OUTBOUND_HTTP) !== 0) {
    lines.push("# No host yet; name those that the plugin may call: [https://api.example.com]", "hosts: []");
  }
  return `${lines.join("\n")}\n`;
}
