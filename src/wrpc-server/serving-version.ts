/**
 * What the version of a plugin that serves now says to callers over wRPC, on either transport.
 *
 * @module
 */

import type { ServedPlugin } from "../consumer/served-plugin.ts";
import type { AccessLevelBits } from "../contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../contract/limits.ts";
import type { ErrorCode } from "../errors/table.ts";

/** The levels that a component asked for at its probe, or why a caller is not told. */
export type DeclaredLevels =
  | { readonly kind: "levels"; readonly levels: AccessLevelBits }
  | { readonly kind: "refused"; readonly code: ErrorCode };

/** The limits of the version that serves; the handler applies them again to the whole request. */
export function limitsNow(plugin: ServedPlugin | undefined): PluginLimits {
  const { state } = plugin?.slot ?? {};
  return state?.kind === "loaded" ? state.version.authority.now.limits : DEFAULT_PLUGIN_LIMITS;
}

/** The answer to `get-access-levels`. Runs no code of the plugin. */
export function declaredLevels(plugin: ServedPlugin | undefined): DeclaredLevels {
  const { state } = plugin?.slot ?? {};
  if (state?.kind === "loaded") {
    const { authority, parts } = state.version;
    return authority.now.kind === "denied" ? refused("denied") : { kind: "levels", levels: parts.requested };
  }
  const isPermanent = state !== undefined && state.kind !== "loading" && !state.error.row.retryable;
  return refused(isPermanent ? "plugin-unloadable" : "plugin-unavailable");
}

function refused(code: ErrorCode): DeclaredLevels {
  return { kind: "refused", code };
}
