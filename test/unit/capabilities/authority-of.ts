import type { PluginLimits } from "../../../src/contract/limits.ts";
import { Authority } from "../../../src/policy/authority.ts";
import type { Grant } from "../../../src/policy/policy.ts";

/** What a version may do that was granted this, for as long as nobody takes anything away. */
export function authorityOf(grant: Grant, limits: PluginLimits): Authority {
  return new Authority({ requested: grant.levels, signers: [], verdict: { kind: "granted", grant }, limits });
}
