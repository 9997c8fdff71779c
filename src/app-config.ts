/**
 * The files of a replica, read together: the consumer file and the policies, and what follows from both for
 * each plugin.
 *
 * @module
 */

import { join } from "node:path";
import type { ConsumerDocument } from "./config/consumer-document.ts";
import { readConsumerFile, requireValid } from "./config/consumer-file.ts";
import { type Diagnostic, formatDiagnostic } from "./config/diagnostic.ts";
import { ParsedFiles } from "./config/parsed-files.ts";
import { PolicyFolder, type PolicySet } from "./config/policy-set.ts";
import { resolveLimits } from "./policy/limits.ts";
import type { RegistryPlan } from "./registry/registry.ts";

/** Which files a replica reads. Absolute paths. */
export interface ReplicaFiles {
  readonly consumerFile: string;
  readonly policyDir: string;
}

/** Both kinds of files as they were read at one moment. */
export interface ReplicaConfig {
  readonly consumer: ConsumerDocument;
  readonly policies: PolicySet;
  /** Problems that do not stop a replica, one line each. */
  readonly warnings: readonly string[];
}

/** Files that are read again and again: what did not change is not parsed again. */
export class ConfigReader {
  readonly #consumerFile: string;
  readonly #consumers = new ParsedFiles(readConsumerFile);
  readonly #policies: PolicyFolder;

  constructor({ consumerFile, policyDir }: ReplicaFiles) {
    this.#consumerFile = consumerFile;
    this.#policies = new PolicyFolder(policyDir);
  }

  /** Reads the files as they are now. One reading at a time. Throws `config-invalid` with a line for every problem. */
  async read(): Promise<ReplicaConfig> {
    const [parsed, policies] = await Promise.all([this.#consumers.load(this.#consumerFile), this.#policies.load()]);
    const consumer = requireValid(parsed);
    const unused: readonly Diagnostic[] = policies.warnOfUnused(consumer.plugins.map(({ name }) => name));
    return { consumer, policies, warnings: [...policies.warnings, ...unused].map(formatDiagnostic) };
  }
}

/** Reads the files once. Throws `config-invalid` with a line for every problem. */
export async function readReplicaConfig(files: ReplicaFiles): Promise<ReplicaConfig> {
  return await new ConfigReader(files).read();
}

/** What the registry has to load, and which files to watch. */
export function planOf({ consumer, policies }: ReplicaConfig, { consumerFile, policyDir }: ReplicaFiles): RegistryPlan {
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
  const policyFiles = policies.plugins.map((plugin) => join(policyDir, `${plugin}.yaml`));
  return { specs, watched: [consumerFile, policyDir, ...policyFiles] };
}
