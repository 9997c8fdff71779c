/**
 * The files of a replica, read together: the consumer file and the policies, and what follows from both for
 * each plugin.
 *
 * A replica begins with files that are all valid. While it runs, a file that cannot be used holds up no other one: what
 * was read last of it stays in force, and everything else is applied as it is now.
 *
 * @module
 */

import type { ConsumerDocument } from "./config/consumer-document.ts";
import { createConsumerFile } from "./config/consumer-file.ts";
import { configError, type Diagnostic, formatDiagnostic } from "./config/diagnostic.ts";
import { keepPolicies } from "./config/kept-policies.ts";
import type { ParsedFiles } from "./config/parsed-files.ts";
import { PolicyFolder, problemsOf } from "./config/policy-folder.ts";
import { PolicySet } from "./config/policy-set.ts";
import type { Digest, PluginName } from "./contract/names.ts";
import { resolveLimits } from "./policy/limits.ts";
import type { RegistryPlan } from "./registry/registry.ts";

/** Which files a replica reads. Absolute paths. */
export interface ReplicaFiles {
  readonly consumerFile: string;
  readonly policyDir: string;
}

/** What is in force of both kinds of files at one moment. */
export interface ReplicaConfig {
  readonly consumer: ConsumerDocument;
  readonly policies: PolicySet;
  /** Problems that do not stop a replica, one line each. */
  readonly warnings: readonly string[];
  /** Why files cannot be used as they are now; none where all can. */
  readonly problems: readonly Diagnostic[];
  /** Plugins whose policy is the one that was read last. */
  readonly kept: readonly PluginName[];
  /** Plugins that are allowed nothing, since their policy cannot be used and none is left of before. */
  readonly denied: readonly PluginName[];
  /** Every file that was looked at, whatever it holds. */
  readonly paths: readonly string[];
}

/** What happens to a replica whose files cannot all be used, for `check` and the log alike. */
export const KEEPS_LAST = "each of these files keeps its last valid content in force, and all other files apply";

/** Files that are read again and again: what did not change is not parsed again. */
export class ConfigReader {
  readonly #consumerFile: string;
  readonly #consumers: ParsedFiles<ConsumerDocument>;
  readonly #policies: PolicyFolder;
  #last: ReplicaConfig | undefined;

  /** `onRead` is told of each content that was read. */
  constructor({ consumerFile, policyDir }: ReplicaFiles, onRead?: (path: string, digest: Digest) => void) {
    this.#consumerFile = consumerFile;
    this.#consumers = createConsumerFile(onRead);
    this.#policies = new PolicyFolder(policyDir, onRead);
  }

  /** How the files were read last, once they were. */
  get last(): ReplicaConfig | undefined {
    return this.#last;
  }

  /** Files that could not be used when they were read last. */
  get unusableFiles(): number {
    return new Set(this.#last?.problems.map(({ file }) => file)).size;
  }

  /**
   * Reads the files as they are now; `changed` ones are read again, whatever their times say. One reading at a time. The
   * first one throws `config-invalid` with a line for every problem; later ones keep what was read last.
   */
  async read(changed: Iterable<string> = []): Promise<ReplicaConfig> {
    for (const path of changed) {
      this.#consumers.refresh(path);
      this.#policies.refresh(path);
    }
    const [parsed, reading] = await Promise.all([this.#consumers.load(this.#consumerFile), this.#policies.load()]);
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
}

/** Reads the files once. Throws `config-invalid` with a line for every problem. */
export async function readReplicaConfig(files: ReplicaFiles): Promise<ReplicaConfig> {
  return await new ConfigReader(files).read();
}

/** What the registry has to load, and which files to watch. */
export function planOf(config: ReplicaConfig, { consumerFile, policyDir }: ReplicaFiles): RegistryPlan {
  const { consumer, policies, paths, problems } = config;
  const start = consumer.plugins.length <= consumer.replica.eagerPlugins ? "with-load" : "on-demand";
  const specs = consumer.plugins.map(({ name, component, version, description }) => {
    const policy = policies.policyFor(name);
    return {
      name,
      componentPath: component,
      policy,
      limits: resolveLimits(consumer.limits, policy.limits),
      compilation: consumer.replica,
      version,
      description,
      start,
    } as const;
  });
  return { specs, watched: [consumerFile, policyDir, ...paths], state: problems.length > 0 ? "stale" : "current" };
}
