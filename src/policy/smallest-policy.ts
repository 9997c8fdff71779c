/**
 * Writes the smallest policy file that allows what a plugin requests. It names the buckets and hosts that the plugin has
 * used, if they are known. Pure.
 *
 * The plugin chose the names, so they are not trusted: names that no policy can contain go into a comment, escaped, and only
 * this module ends lines.
 *
 * @module
 */

import { isIPv6 } from "node:net";
import {
  type AccessLevelBits,
  ALL_ACCESS_LEVEL_BITS,
  bitsFromLevels,
  levelsFromBits,
} from "../contract/access-levels.ts";
import type { PluginName } from "../contract/names.ts";
import type { UsedHost, UsedTargets } from "../contract/used-targets.ts";
import { allowedHostProblem } from "./allowed-host.ts";
import { describeLevels } from "./decide.ts";

const KEY_VALUE = bitsFromLevels(["key-value-read", "key-value-write"]);
const OUTBOUND_HTTP = bitsFromLevels(["outbound-http"]);

/** Names (of plugins, of buckets) that YAML takes for a text without quotes; others may be numbers, booleans or null. */
const PLAIN_NAME = /^(?!(?:true|false|null)$)[a-z]/;

/**
 * The text of `policy/<plugin>.yaml`. Which buckets and hosts the plugin needs cannot be told from its levels: without
 * `used`, buckets stay at their default (any private one) and hosts at none, each with a comment on how to change it.
 * With it, the shared buckets and the hosts are those that were used, and the private ones are in the comment.
 */
export function smallestPolicy(plugin: PluginName, requested: AccessLevelBits, used?: UsedTargets): string {
  const known = requested & ALL_ACCESS_LEVEL_BITS;
  const unknown = (requested & ~ALL_ACCESS_LEVEL_BITS) >>> 0;
  const lines = [
    "# yaml-language-server: $schema=../schemas/policy.schema.json",
    `plugin: ${plain(plugin)}`,
    `allow: [${levelsFromBits(known).join(", ")}]`,
  ];
  for (const level of describeLevels(unknown)) {
    lines.push(`# The plugin also requests an ${level}. No policy can allow it: the plugin stays denied.`);
  }
  if ((known & KEY_VALUE) !== 0) lines.push(...bucketLines(used));
  if ((known & OUTBOUND_HTTP) !== 0) lines.push(...hostLines(used));
  return `${lines.join("\n")}\n`;
}

function bucketLines(used: UsedTargets | undefined): string[] {
  const own = used?.privateBuckets ?? [];
  const shared = used?.sharedBuckets ?? [];
  const names = own.length === 0 ? "user-data" : own.map(({ name }) => plain(name)).join(", ");
  const which = own.length === 0 ? "some" : "those used so far";
  const lines = [`# Any private bucket; to allow only ${which}, name them:`];
  if (shared.length === 0) lines.push("# buckets:", `#   private: [${names}]`);
  else {
    lines.push("buckets:", `#   private: [${names}]`, "  shared:");
    for (const { name, bucket } of shared) lines.push(`    ${plain(name)}: ${plain(bucket)}`);
  }
  const others = used?.otherBuckets ?? 0;
  if (others > 0) lines.push(`# Further buckets, not named here, took ${others} operations.`);
  return lines;
}

function hostLines(used: UsedTargets | undefined): string[] {
  const hosts = used?.hosts ?? [];
  const named = hosts.filter(({ target }) => allowedHostProblem(target) === undefined);
  const lines =
    named.length === 0
      ? ["# No host yet; name those that the plugin may call: [https://api.example.com]", "hosts: []"]
      : ["# Those called so far:", "hosts:"];
  for (const host of named) lines.push(`  - ${allowedHost(host)}`, ...addressLines(host));
  for (const { target } of hosts.filter((host) => !named.includes(host)))
    lines.push(`# ${escaped(target)} was called, too: only a pattern allows it.`);
  const others = used?.otherHosts ?? 0;
  if (others > 0) lines.push(`# Further hosts, not named here, took ${others} requests.`);
  return lines;
}

/** A name opens public addresses only: its owner decides where it leads. */
function addressLines(host: UsedHost): string[] {
  if (host.addresses.length === 0) return [];
  const lines = ["  # Where that name leads is not of the internet, and has to be named beside it:"];
  for (const address of host.addresses) {
    const written = isIPv6(address) ? `[${address}]` : address;
    lines.push(`  - ${allowedHost({ ...host, target: host.target.replace(/(?<=:\/\/)[^:]+/, written) })}`);
  }
  return lines;
}

function allowedHost({ target, methods, otherMethods }: UsedHost): string {
  // A list of methods would exclude those that a policy cannot name.
  if (otherMethods > 0 || methods.length === 0) return escaped(target);
  return `{ target: ${escaped(target)}, methods: [${methods.join(", ")}] }`;
}

function plain(name: string): string {
  return PLAIN_NAME.test(name) ? name : JSON.stringify(name);
}

/** In quotes, in one line, in ASCII. */
function escaped(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
