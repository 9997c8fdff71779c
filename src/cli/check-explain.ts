/**
 * Why a plugin is served or not, step by step as a replica takes them: file, what the policy demands of it, gate,
 * compiler, start, probe, decision, grant. Each step says what it found; the step that failed says what to do.
 *
 * @module
 */

import { bitsFromLevels } from "../contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../contract/limits.ts";
import type { ErrorCode } from "../errors/table.ts";
import { describeLevels } from "../policy/decide.ts";
import type { AllowedHost, Grant, Policy } from "../policy/policy.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import type { Examination, FailedExamination } from "./examination.ts";
import { describeRequest, problemOf, verdictWord } from "./examination-report.ts";
import { alignColumns, shownPath, type Style, styled, type Terminal } from "./terminal.ts";

/** One step on the way to a grant. */
export interface ExplainedStep {
  readonly step: Step;
  readonly state: "ok" | "failed" | "denied" | "not reached";
  /** What it found. Lines are separated by line feeds. */
  readonly found: string;
}

const STEPS = ["file", "policy", "gate", "compile", "start", "probe", "decision", "grant"] as const;

type Step = (typeof STEPS)[number];

/**
 * The step that an error of a load comes from. `registry`: where the component or its signatures come from; `process`: the
 * compiler's or the plugin's; `none`: no load ends with it.
 */
const STEP_OF: Readonly<Record<ErrorCode, Step | "registry" | "process" | "none">> = {
  "bad-request": "none",
  "payload-too-large": "none",
  "deadline-exceeded": "none",
  overloaded: "none",
  draining: "none",
  denied: "none",
  "plugin-unavailable": "none",
  "plugin-error": "none",
  "plugin-trapped": "none",
  "runner-lost": "none",
  "memory-exceeded": "none",
  "reply-too-large": "none",
  "access-denied": "none",
  "invalid-bucket": "none",
  "invalid-key": "none",
  "value-too-large": "none",
  "store-unavailable": "none",
  "store-timeout": "none",
  "store-outcome-unknown": "none",
  "component-unreadable": "file",
  "component-rejected": "gate",
  "compile-failed": "compile",
  "plugin-unloadable": "start",
  "load-failed": "process",
  "resources-exhausted": "process",
  "probe-failed": "probe",
  "registry-unreachable": "registry",
  "registry-throttled": "registry",
  "registry-denied": "registry",
  "registry-not-found": "registry",
  "registry-refused": "registry",
  "registry-redirect-refused": "registry",
  "registry-content-wrong": "registry",
  "artifact-unusable": "registry",
  "digest-not-allowed": "policy",
  "signature-missing": "policy",
  "signature-needs-registry": "policy",
  "component-differs": "none",
  "key-unusable": "none",
  "config-invalid": "none",
  "usage-invalid": "file",
  "listen-failed": "none",
  "nats-unavailable": "none",
  "no-responders": "none",
  "bad-reply": "none",
  "drain-timeout": "none",
  "replica-unreachable": "none",
  "control-timeout": "none",
  "build-failed": "none",
  "tool-missing": "none",
  "output-failed": "none",
  internal: "none",
};

const ADVICE: Partial<Record<ErrorCode, string>> = {
  "component-unreadable": "Check the path in the consumer file and the permissions of the file.",
  "compile-failed": "Check the component with `wasm-tools validate`; make it smaller if it took too long.",
  "plugin-unloadable": "The component's instantiation must end and must not trap.",
  "load-failed": "Try again: something else ended the process, or the machine was too busy.",
  "probe-failed": "get-access-levels must return constant flags and do nothing else.",
};

/** The steps of one examination, all of them, in order. */
export function explainSteps(examination: Examination): readonly ExplainedStep[] {
  const { outcome } = examination;
  const failing = outcome.kind === "failed" ? failingStep(outcome, examination.file !== undefined) : undefined;
  const end = failing ?? (isDenied(examination) ? "decision" : "grant");
  return STEPS.map((step) => {
    if (STEPS.indexOf(step) > STEPS.indexOf(end)) return { step, state: "not reached", found: "" };
    if (step === failing) return { step, state: "failed", found: failureText(examination) };
    if (step === "decision" && isDenied(examination)) {
      return { step, state: "denied", found: problemOf(examination) ?? "" };
    }
    return { step, state: "ok", found: findingOf(step, examination) };
  });
}

/** Claims of no step before it more than is known. */
function failingStep({ error, isCompiled }: FailedExamination, isRead: boolean): Step {
  // A registry that did not give it, a file that is too large.
  if (!isRead) return "file";
  const origin = STEP_OF[error.code];
  // The component is here: what was asked for are its signatures.
  if (origin === "registry") return "policy";
  if (origin === "process") return isCompiled ? "start" : "gate";
  return origin === "none" ? "file" : origin;
}

function isDenied({ outcome }: Examination): boolean {
  return outcome.kind === "loaded" && outcome.verdict.kind === "denied";
}

function failureText({ outcome }: Examination): string {
  if (outcome.kind !== "failed") return "";
  const { code, message } = outcome.error;
  const advice = ADVICE[code];
  return printableText([`${code}: ${message}`, ...(advice === undefined ? [] : [advice])].join("\n"));
}

function findingOf(step: Step, examination: Examination): string {
  const { path, file, outcome, policy, name, limits } = examination;
  switch (step) {
    case "file":
      return `${shownPath(path)}, ${file?.bytes ?? 0} bytes, sha256:${file?.digest ?? ""}`;
    case "policy":
      return demandText(policy);
    case "gate":
      if (outcome.kind === "failed") return "names, sizes, imports and exports are in order";
      return printableText(`imports ${outcome.imports.join(", ") || "nothing"}`);
    case "compile":
    case "start":
      return "";
    case "probe":
      return outcome.kind === "loaded" ? `it requests ${describeRequest(outcome.requested)}` : "";
    case "decision":
      return `the policy of ${name} (revision ${policy.revision}) allows ${describeLevels(policy.allow).join(", ") || "nothing"}`;
    case "grant":
      if (outcome.kind === "failed" || outcome.verdict.kind === "denied") return "";
      return grantText(outcome.verdict.grant, limits);
  }
}

/** What the policy demands of the component before anything of it is read. */
function demandText({ digests, signedBy }: Policy): string {
  const demands = [
    ...(digests === undefined ? [] : ["it is one that the policy names"]),
    ...(signedBy === undefined ? [] : ["it is signed by a key of the policy"]),
  ];
  return demands.join(", ") || "the policy demands no digest and no signature";
}

function grantText({ levels, buckets, hosts }: Grant, limits: PluginLimits): string {
  const shared = [...buckets.shared].map(([own, name]) => (own === name ? own : `${own} (${name})`));
  const privates = buckets.private === "any" ? "any" : buckets.private.join(", ") || "none";
  const changed = (Object.keys(limits) as (keyof PluginLimits)[])
    .filter((limit) => limits[limit] !== DEFAULT_PLUGIN_LIMITS[limit])
    .map((limit) => `${limit} ${limits[limit]}`);
  return [
    `levels: ${describeLevels(levels).join(", ") || "none"}`,
    ...((levels & KEY_VALUE) === 0
      ? []
      : [`private buckets: ${privates}; shared buckets: ${shared.join(", ") || "none"}`]),
    ...((levels & OUTBOUND_HTTP) === 0 ? [] : [`hosts: ${hosts.map(hostText).join(", ") || "none"}`]),
    `limits: ${changed.join(", ") || "the defaults"}`,
  ].join("\n");
}

function hostText(host: AllowedHost): string {
  return typeof host === "string" ? host : `${host.target} (${host.methods.join(", ")})`;
}

const KEY_VALUE = bitsFromLevels(["key-value-read", "key-value-write"]);
const OUTBOUND_HTTP = bitsFromLevels(["outbound-http"]);

const STYLES = { ok: "good", failed: "bad", denied: "bad", "not reached": "quiet" } as const satisfies Record<
  ExplainedStep["state"],
  Style
>;

/** The steps as text. */
export function explanationText(examination: Examination, { stdout }: Terminal): string {
  const rows: string[][] = [];
  for (const { step, state, found } of explainSteps(examination)) {
    const label = [`  ${step}`, styled(stdout, STYLES[state], state)];
    for (const [index, line] of found.split("\n").entries()) rows.push([...(index === 0 ? label : ["", ""]), line]);
  }
  const heading = `${styled(stdout, "strong", examination.name)}: ${verdictWord(examination)}`;
  return `${[heading, ...alignColumns(rows)].join("\n")}\n`;
}
