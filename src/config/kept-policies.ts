/**
 * Which policies are in force when not all of them can be read. A policy file is one plugin's affair: whatever is wrong
 * with one, the others are applied as they are now. Pure.
 *
 * A file that is *broken* or *unreadable* says nothing, so what it said last stands: the policy that was read last. A file
 * that is *gone* says that nothing is allowed. Where nothing is known of the whole folder, all of its policies stand.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import type { PolicyFolderReading } from "./policy-folder.ts";
import { PolicySet } from "./policy-set.ts";

/** Policies in force, and whose of them are not what their files hold now. */
export interface KeptPolicies {
  readonly policies: PolicySet;
  /** Plugins whose policy is the one that was read last. */
  readonly kept: readonly PluginName[];
  /** Plugins that are allowed nothing: their file is a name without a file, or cannot be used and none was read before. */
  readonly denied: readonly PluginName[];
}

/** Puts a reading in force after `last`, what was in force until now. */
export function keepPolicies(reading: PolicyFolderReading, last: PolicySet): KeptPolicies {
  if (reading.kind === "unlisted") return { policies: last, kept: last.plugins, denied: [] };
  const documents = [...reading.documents];
  const kept: PluginName[] = [];
  const denied: PluginName[] = [];
  for (const { plugin, state } of reading.unusable) {
    if (plugin === undefined) continue;
    const known = state === "gone" ? undefined : last.documentOf(plugin);
    if (known === undefined) denied.push(plugin);
    else {
      documents.push(known);
      kept.push(plugin);
    }
  }
  return { policies: new PolicySet(documents, reading.warnings), kept, denied };
}
