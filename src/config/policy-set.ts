/**
 * The policies of a replica: one for each plugin that is allowed anything. A plugin without one may do nothing.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { denyAll, refuseAll } from "../policy/create-policy.ts";
import type { Policy } from "../policy/policy.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { PolicyDocument } from "./policy-document.ts";

/** All policies of a folder. Immutable: a changed folder is loaded again. */
export class PolicySet {
  readonly #documents: ReadonlyMap<PluginName, PolicyDocument>;
  readonly #unknown: ReadonlySet<PluginName>;
  /** Problems that do not make a policy unusable. */
  readonly warnings: readonly Diagnostic[];

  /** `unknown`: plugins that have a policy which cannot be read. */
  constructor(
    documents: Iterable<PolicyDocument>,
    warnings: readonly Diagnostic[] = [],
    unknown: Iterable<PluginName> = [],
  ) {
    this.#documents = new Map(Array.from(documents, (document) => [document.policy.plugin, document]));
    this.#unknown = new Set(unknown);
    this.warnings = warnings;
  }

  /** The plugin's policy; {@link denyAll} where the folder has none, {@link refuseAll} where it is unknown. */
  policyFor(plugin: PluginName): Policy {
    const known = this.#documents.get(plugin)?.policy;
    if (known !== undefined) return known;
    return this.#unknown.has(plugin) ? refuseAll(plugin) : denyAll(plugin);
  }

  /** The plugin's policy with its place, if the folder has one. */
  documentOf(plugin: PluginName): PolicyDocument | undefined {
    return this.#documents.get(plugin);
  }

  /** Plugins that have a policy of their own. */
  get plugins(): PluginName[] {
    return [...this.#documents.keys()];
  }

  /** A warning for each policy of a plugin that is not among `served`: often a misspelt name. */
  warnOfUnused(served: Iterable<PluginName>): Diagnostic[] {
    const names = new Set(served);
    return [...this.#documents.values()]
      .filter(({ policy }) => !names.has(policy.plugin))
      .map(({ file, position, policy }) => ({
        severity: "warning",
        file,
        line: position.line,
        column: position.column,
        message: `no consumer names the plugin "${policy.plugin}"; remove the policy or correct the name`,
      }));
  }
}
