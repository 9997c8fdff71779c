/**
 * Every limit that the code uses: those of a plugin (`plugin-limits.ts`), of a replica (`replica-limits.ts`) and those that no
 * file changes (`fixed-limits.ts`, by their subjects). Those of a component and of a guest are in files of their own.
 *
 * @module
 */

export { FIXED_LIMIT_ROWS, FIXED_LIMITS } from "./fixed-limits.ts";
export type { FixedLimitRow, LimitRow } from "./limit-row.ts";
export { DEFAULT_PLUGIN_LIMITS, PLUGIN_LIMITS, type PluginLimits } from "./plugin-limits.ts";
export {
  type CompilationLimits,
  DEFAULT_REPLICA_LIMITS,
  REPLICA_LIMITS,
  type ReplicaLimits,
} from "./replica-limits.ts";
