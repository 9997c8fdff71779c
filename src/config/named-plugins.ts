/**
 * A consumer group of plugins that the command line names, in place of a consumer file: every setting has its default.
 *
 * @module
 */

import { DEFAULT_REPLICA_LIMITS } from "../contract/limits.ts";
import type { PluginName } from "../contract/names.ts";
import type { ConsumerDocument } from "./consumer-document.ts";
import { FILE_START } from "./diagnostic.ts";

/** A plugin and its component. */
export interface NamedPlugin {
  readonly name: PluginName;
  /** Absolute path. */
  readonly component: string;
}

/** The queue group of plugins without a consumer file; also the group in the examples of consumer files. */
export const DEFAULT_GROUP = "default";

/** The group of these plugins. */
export function consumerOf(plugins: readonly NamedPlugin[]): ConsumerDocument {
  return {
    file: "--plugin",
    group: DEFAULT_GROUP,
    plugins: plugins.map(({ name, component }) => ({
      name,
      component: { kind: "file", path: component },
      version: "0.0.0",
      description: "",
      position: FILE_START,
    })),
    limits: {},
    replica: DEFAULT_REPLICA_LIMITS,
    wrpc: { tcp: undefined, nats: undefined },
  };
}
