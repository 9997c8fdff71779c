/**
 * The compiler: a short-lived process that checks one component and, unless asked only to inspect it,
 * transpiles it and plans how to link it. Component on stdin, report on file descriptor 3, one argument: `compile` or `inspect`.
 *
 * It has no environment, no network, no writable file, no child process. Whatever goes wrong in here (a trap in
 * the transpiler, memory, an endless loop) ends with this process.
 *
 * @module
 */

import { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { HostError } from "../errors/host-error.ts";
import { isShortage } from "../errors/shortage.ts";
import type { LinkEntry } from "../contract/artifact.ts";
import { LINK_PLAN_FILE } from "../contract/link-plan.ts";
import { passGate } from "./gate/gate.ts";
import { planComponent } from "./link-plan/plan-component.ts";
import { usePowerlessShim } from "./powerless-shim.ts";
import { describeRefusal, requireV8 } from "./refusal.ts";
import { encodeHeader, MESSAGE_MAX_LENGTH, REPORT_FD, type ReportHeader } from "./report.ts";

interface Report {
  readonly header: ReportHeader;
  readonly contents: readonly Uint8Array[];
}

async function work(mode: string | undefined, bytes: Uint8Array): Promise<Report> {
  const summary = passGate(bytes);
  if (mode === "inspect") return { header: { kind: "inspected", summary }, contents: [] };
  // Loaded only now: nothing of the transpiler runs before the gate is passed.
  usePowerlessShim();
  const { compileWithJco } = await import("./engine.ts");
  const compiled = await compileWithJco(bytes, summary.imports);
  requireV8(bytes);
  // Only now: the transpiler has validated the component in full.
  const planning = planComponent(bytes);
  const link: LinkEntry =
    planning.kind === "planned" ? { kind: "planned", plan: LINK_PLAN_FILE, freshState: planning.freshState } : planning;
  const files = [...compiled, ...(planning.kind === "planned" ? planning.files : [])];
  return {
    header: {
      kind: "compiled",
      summary,
      link,
      files: files.map(([name, content]) => ({ name, bytes: content.length })),
    },
    contents: files.map(([, content]) => content),
  };
}

function codeOf(error: unknown): "component-rejected" | "compile-failed" | "resources-exhausted" {
  if (isShortage(error)) return "resources-exhausted";
  return error instanceof HostError && error.code === "component-rejected" ? error.code : "compile-failed";
}

/** What the host may report about a failure: our own refusal as it is, the transpiler's in the author's terms. */
function refusal(error: unknown, component: Uint8Array): Report {
  const text = error instanceof HostError ? error.message : describeRefusal(error, component);
  return { header: { kind: "refused", code: codeOf(error), message: text.slice(0, MESSAGE_MAX_LENGTH) }, contents: [] };
}

async function main(): Promise<void> {
  const bytes = await buffer(process.stdin);
  const { header, contents } = await work(process.argv[2], bytes).catch((error: unknown) => refusal(error, bytes));
  const output = new Socket({ fd: REPORT_FD, readable: false, writable: true });
  output.write(encodeHeader(header));
  for (const content of contents) output.write(content);
  output.end();
  await finished(output);
}

await main();
