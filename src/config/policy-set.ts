/**
 * The policy folder: one `<plugin>.yaml` for each plugin that is allowed anything. A plugin without a file is
 * denied everything. Hidden files and files that are no YAML are left alone, so that a README or an editor's
 * backup may lie beside the policies; folders below it are not entered.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { PluginName } from "../contract/names.ts";
import { denyAll } from "../policy/create-policy.ts";
import type { Policy } from "../policy/policy.ts";
import { configError, type Diagnostic, FILE_START, type Parsed } from "./diagnostic.ts";
import { parsePolicy, type PolicyDocument } from "./policy-document.ts";
import { ParsedFiles } from "./parsed-files.ts";
import { describeSystemError, readTextFile } from "./text-file.ts";
import { Turns } from "./turns.ts";

/** Files that are read at a time. */
const CONCURRENT_READS = 16;

/** All policies of a folder. Immutable: a changed folder is loaded anew. */
export class PolicySet {
  readonly #documents: ReadonlyMap<PluginName, PolicyDocument>;
  /** Problems that do not make a policy unusable. */
  readonly warnings: readonly Diagnostic[];

  constructor(documents: Iterable<PolicyDocument>, warnings: readonly Diagnostic[] = []) {
    this.#documents = new Map(Array.from(documents, (document) => [document.policy.plugin, document]));
    this.warnings = warnings;
  }

  /** The plugin's policy; {@link denyAll} where the folder has none. */
  policyFor(plugin: PluginName): Policy {
    return this.#documents.get(plugin)?.policy ?? denyAll(plugin);
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

/** A policy folder that is read again and again: of its files, those are parsed that changed since. */
export class PolicyFolder {
  readonly #folder: string;
  readonly #turns = new Turns();
  readonly #files = new ParsedFiles<PolicyDocument>(async (file) => {
    const text = await readTextFile(file);
    return text.kind === "valid" ? await this.#turns.run(() => parsePolicy(text.value, file)) : text;
  });

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Reads every policy. Throws `config-invalid` with a line for every problem of every file: a set with a hole in it
   * is never returned. One reading at a time.
   */
  async load(): Promise<PolicySet> {
    const documents: PolicyDocument[] = [];
    const errors: Diagnostic[] = [];
    const warnings: Diagnostic[] = [];
    for (const parsed of await this.#loadFiles(await listPolicyFiles(this.#folder))) {
      if (parsed.kind === "invalid") {
        errors.push(...parsed.errors);
        continue;
      }
      warnings.push(...parsed.warnings);
      documents.push(parsed.value);
    }
    if (errors.length > 0) throw configError(errors);
    return new PolicySet(documents, warnings);
  }

  /** All of the files, in their order, some at a time. */
  async #loadFiles(names: readonly string[]): Promise<Parsed<PolicyDocument>[]> {
    const paths = names.map((name) => join(this.#folder, name));
    this.#files.keepOnly(new Set(paths));
    const loaded: Parsed<PolicyDocument>[] = [];
    const waiting = paths.entries();
    const work = async (): Promise<void> => {
      for (const [index, path] of waiting) loaded[index] = await this.#files.load(path);
    };
    await Promise.all(Array.from({ length: CONCURRENT_READS }, work));
    return loaded;
  }
}

/** The policies of a folder that is read once. Throws as {@link PolicyFolder.load}. */
export async function loadPolicyDir(folder: string): Promise<PolicySet> {
  return await new PolicyFolder(folder).load();
}

/** Names of the folder's policy files, sorted. */
async function listPolicyFiles(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const message = `the policy folder cannot be read (${describeSystemError(error)}); an empty folder denies everything`;
    throw configError([{ severity: "error", file: folder, ...FILE_START, message }], error);
  }
  const files = names.filter((name) => /^[^.].*\.ya?ml$/i.test(name)).sort();
  if (files.length > FIXED_LIMITS.policyFiles) {
    const message = `${files.length} policy files; at most ${FIXED_LIMITS.policyFiles} are read`;
    throw configError([{ severity: "error", file: folder, ...FILE_START, message }]);
  }
  return files;
}
