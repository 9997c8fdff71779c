/**
 * Which policies are in force when not all of them can be read. A policy file affects one plugin only: if one is
 * invalid, the others still apply. Pure.
 *
 * If a file is *broken* or *unreadable*, its plugin keeps the policy that was read last; if there was none, it may do nothing, and
 * no component of it is loaded, because the policy may demand a signature. If a file is *gone*, its plugin may
 * do nothing. If the whole folder cannot be read, all of its policies stay in force.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import type { PolicyFolderReading } from "./policy-folder.ts";
import { PolicySet } from "./policy-set.ts";

/** Policies in force, and which plugins' policies differ from their files. */
export interface KeptPolicies {
  readonly policies: PolicySet;
  /** Plugins whose policy is the one that was read last. */
  readonly kept: readonly PluginName[];
  /** Plugins that are allowed nothing: their file is a name without a file, or cannot be used and none was read before. */
  readonly denied: readonly PluginName[];
}

/** Applies a reading after `last`, the policies in force until now. */
export function keepPolicies(reading: PolicyFolderReading, last: PolicySet): KeptPolicies {
  if (reading.kind === "unlisted") return { policies: last, kept: last.plugins, denied: [] };
  const documents = [...reading.documents];
  const kept: PluginName[] = [];
  const denied: PluginName[] = [];
  const unknown: PluginName[] = [];
  for (const { plugin, state } of reading.unusable) {
    if (plugin === undefined) continue;
    const known = state === "gone" ? undefined : last.documentOf(plugin);
    if (known === undefined) {
      denied.push(plugin);
      if (state !== "gone") unknown.push(plugin);
    } else {
      documents.push(known);
      kept.push(plugin);
    }
  }
  return { policies: new PolicySet(documents, reading.warnings, unknown), kept, denied };
}
