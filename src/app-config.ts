/**
 * The files of a replica, read together: the consumer file and the policies, and what follows from both for each plugin.
 *
 * A replica starts only when all files are valid. While it runs, a file that cannot be used does not hold up the others: its
 * last valid content stays in force, and the other files apply as they are now.
 *
 * @module
 */

import type { ServeOptions } from "./app-options.ts";
import type { ConsumerDocument } from "./config/consumer-document.ts";
import { createConsumerFile } from "./config/consumer-file.ts";
import { configError, type Diagnostic, formatDiagnostic, type Parsed } from "./config/diagnostic.ts";
import { keepPolicies } from "./config/kept-policies.ts";
import { consumerOf } from "./config/named-plugins.ts";
import type { ParsedFiles } from "./config/parsed-files.ts";
import { PolicyFolder, problemsOf } from "./config/policy-folder.ts";
import { PolicySet } from "./config/policy-set.ts";
import type { Digest, PluginName } from "./contract/names.ts";
import { referencePath } from "./registry/component-store.ts";
import { resolveLimits } from "./policy/limits.ts";
import type { RegistryPlan } from "./registry/registry.ts";

/** The files that a replica reads, by absolute paths. */
export type ReplicaFiles = Pick<ServeOptions, "consumer" | "policy">;

/** The content of both kinds of files that is in force at one moment. */
export interface ReplicaConfig {
  readonly consumer: ConsumerDocument;
  readonly policies: PolicySet;
  /** Problems that do not keep a replica from starting, one line each. */
  readonly warnings: readonly string[];
  /** Why files cannot be used as they are now; empty where all can. */
  readonly problems: readonly Diagnostic[];
  /** Plugins whose earlier policy stays in force, because the file cannot be used now. */
  readonly kept: readonly PluginName[];
  /** Plugins that are allowed nothing, because their policy cannot be used and they had none before. */
  readonly denied: readonly PluginName[];
  /** Every policy file, whether it is valid or not. */
  readonly paths: readonly string[];
}

/** What a replica does while some files cannot be used: a text for `check` and for the log. */
export const KEEPS_LAST = "each of these files keeps its last valid content in force, and all other files apply";

/** Reads the files again and again, and parses only those that have changed. */
export class ConfigReader {
  readonly #consumer: ReplicaFiles["consumer"];
  readonly #consumers: ParsedFiles<ConsumerDocument>;
  readonly #policies: PolicyFolder;
  #last: ReplicaConfig | undefined;

  /** `onRead` is called with the path and digest of each content that was read. */
  constructor({ consumer, policy }: ReplicaFiles, onRead?: (path: string, digest: Digest) => void) {
    this.#consumer = consumer;
    this.#consumers = createConsumerFile(onRead);
    this.#policies = new PolicyFolder(policy, onRead);
  }

  /** The result of the last reading; `undefined` before the first. */
  get last(): ReplicaConfig | undefined {
    return this.#last;
  }

  /** The number of files that the last reading could not use. */
  get unusableFiles(): number {
    return new Set(this.#last?.problems.map(({ file }) => file)).size;
  }

  /**
   * Reads the files as they are now, and those in `changed` even where their times are the same. One reading at a time. The
   * first throws `config-invalid` with a line for every problem; later ones keep the last valid content.
   */
  async read(changed: Iterable<string> = []): Promise<ReplicaConfig> {
    for (const path of changed) {
      this.#consumers.refresh(path);
      this.#policies.refresh(path);
    }
    const [parsed, reading] = await Promise.all([this.#readConsumer(), this.#policies.load()]);
    const problems = [...(parsed.kind === "invalid" ? parsed.errors : []), ...problemsOf(reading)];
    const last = this.#last;
    const consumer = parsed.kind === "valid" ? parsed.value : last?.consumer;
    if (consumer === undefined || (last === undefined && problems.length > 0)) throw configError(problems);
    const { policies, kept, denied } = keepPolicies(reading, last?.policies ?? new PolicySet([]));
    const unused = policies.warnOfUnused(consumer.plugins.map(({ name }) => name));
    const warnings = [...policies.warnings, ...unused].map(formatDiagnostic);
    const paths = reading.kind === "listed" ? reading.paths : (last?.paths ?? []);
    this.#last = { consumer, policies, warnings, problems, kept, denied, paths };
    return this.#last;
  }

  async #readConsumer(): Promise<Parsed<ConsumerDocument>> {
    const source = this.#consumer;
    if (source.kind === "file") return await this.#consumers.load(source.path);
    return { kind: "valid", value: consumerOf(source.plugins), warnings: [] };
  }
}

/** Reads the files once. Throws `config-invalid` with a line for every problem. */
export async function readReplicaConfig(files: ReplicaFiles): Promise<ReplicaConfig> {
  return await new ConfigReader(files).read();
}

/** The files of a plan, and the cache folder, where components of registries are. */
export interface PlanFolders extends ReplicaFiles {
  readonly cacheDir: string;
}

/** What the registry must load, and which files to watch. */
export function planOf(config: ReplicaConfig, files: PlanFolders): RegistryPlan {
  const { consumer, policies, paths, problems } = config;
  const consumerFiles = files.consumer.kind === "file" ? [files.consumer.path] : [];
  const start = consumer.plugins.length <= consumer.replica.eagerPlugins ? "with-load" : "on-demand";
  const specs = consumer.plugins.map(({ name, component, version, description }) => {
    const policy = policies.policyFor(name);
    return {
      name,
      componentPath: component.kind === "file" ? component.path : referencePath(files.cacheDir, component.reference),
      reference: component.kind === "registry" ? component.reference : undefined,
      policy,
      limits: resolveLimits(consumer.limits, policy.limits),
      compilation: consumer.replica,
      version,
      description,
      start,
    } as const;
  });
  return {
    specs,
    watched: [...consumerFiles, files.policy.folder, ...paths],
    state: problems.length > 0 ? "stale" : "current",
  };
}
