/**
 * Limits of the configuration: its files, and how they are watched.
 *
 * @module
 */

import { type FixedLimitRow, KIB, MIB } from "./limit-row.ts";

export const CONFIG_LIMIT_ROWS = {
  configFileBytes: {
    value: 64 * KIB,
    unit: "bytes",
    summary: "One policy file; a larger one is config-invalid.",
    enforcedIn: "config/text-file",
  },
  consumerFileBytes: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "One consumer file, which names every plugin of its group; a larger one is config-invalid.",
    enforcedIn: "config/text-file",
  },
  consumerPlugins: {
    value: 16_384,
    unit: "count",
    summary: "Plugins of one consumer file; more are config-invalid.",
    enforcedIn: "config/consumer-document",
  },
  policyFiles: {
    value: 16_384,
    unit: "count",
    summary: "Files in the policy folder; more are config-invalid.",
    enforcedIn: "config/policy-folder",
  },
  configDepth: {
    value: 16,
    unit: "count",
    summary: "Nesting depth of lists and maps in a consumer, policy or test file; deeper ones are config-invalid.",
    enforcedIn: "config/yaml-text",
  },
  watchedFiles: {
    value: 1_024,
    unit: "count",
    summary:
      "Files that a replica watches individually. Beyond it, the replica watches their folders, and notices a change elsewhere (behind a link) when it next checks all files.",
    enforcedIn: "registry/file-watcher",
  },
} as const satisfies Record<string, FixedLimitRow>;
