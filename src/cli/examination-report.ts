/**
 * How an examination reads, in words and as JSON: shared by `inspect` and `check`.
 *
 * @module
 */

import type { EngineName } from "../contract/artifact.ts";
import { describeDenial, describeLevels } from "../policy/decide.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import type { Examination } from "./examination.ts";

/** `nothing`, or the levels by name. */
export function describeRequest(bits: number): string {
  return describeLevels(bits).join(", ") || "nothing";
}

/** Why a replica would not serve the component under this policy; `undefined` where it would. */
export function problemOf({ name, outcome }: Examination): string | undefined {
  if (outcome.kind === "failed") return printableText(`${outcome.error.code}: ${outcome.error.message}`);
  const { verdict } = outcome;
  if (verdict.kind === "granted") return undefined;
  const levels = describeLevels(verdict.missing).join(", ");
  if (levels === "") return `denied: ${describeDenial(verdict)}`;
  return `denied: ${describeDenial(verdict)} Add ${levels} to \`allow\` in the policy ${name}.yaml, or withdraw the plugin.`;
}

/** What happens to a guest that computes past its deadline. */
export function describeLoops(engine: EngineName): string {
  return engine === "linker" ? "stopped alone at the deadline" : "ended with their process after the deadline";
}

/** One word for a table. */
export function verdictWord({ outcome }: Examination): "granted" | "denied" | "failed" {
  return outcome.kind === "failed" ? "failed" : outcome.verdict.kind;
}

/** What a component is, for machines. `null` and empty lists where that could not be learned. */
export function factsJson({ name, path, file, outcome }: Examination): Record<string, unknown> {
  const isLoaded = outcome.kind === "loaded";
  return {
    plugin: name,
    component: path,
    digest: file?.digest ?? null,
    bytes: file?.bytes ?? null,
    imports: isLoaded ? outcome.imports : [],
    exports: isLoaded ? outcome.exports : [],
    engine: isLoaded ? outcome.engine : null,
    stopsLoopsAlone: isLoaded ? outcome.engine === "linker" : null,
    freshState: isLoaded ? outcome.freshState : null,
    requested: isLoaded ? describeLevels(outcome.requested) : null,
    error: isLoaded ? null : { code: outcome.error.code, message: outcome.error.message },
  };
}

/** The same with what the policy says to it. */
export function verdictJson(examination: Examination): Record<string, unknown> {
  const { outcome, policy } = examination;
  const isDenied = outcome.kind === "loaded" && outcome.verdict.kind === "denied";
  return {
    ...factsJson(examination),
    verdict: verdictWord(examination),
    missing: isDenied ? describeLevels(outcome.verdict.missing) : [],
    policyRevision: policy.revision,
  };
}
