/**
 * Builds a plugin's project and examines the component, and shows both: for `build` and `dev`.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { denyAll } from "../policy/create-policy.ts";
import { HostError } from "../errors/host-error.ts";
import type { PluginName } from "../contract/names.ts";
import { LANGUAGE_NAMES, type BuildOutcome } from "../project/language.ts";
import type { Project } from "../project/project.ts";
import type { ToolEnd } from "../project/tool.ts";
import { durationText } from "./author-log.ts";
import type { Examination, Examiner } from "./examination.ts";
import { describeRequest } from "./examination-report.ts";
import { nameOfFile } from "./plugin-name.ts";
import { Progress } from "./progress.ts";
import { alignColumns, type OutputStream, shownPath, styled } from "./terminal.ts";

/** A build, and how long it took. */
export interface TimedBuild {
  readonly outcome: BuildOutcome;
  readonly durationMs: number;
}

/** Builds the project, and shows the progress. Throws `tool-missing`, and `build-failed` where it was ended. */
export async function buildProject(
  { kit, folder, name }: Project,
  stream: OutputStream,
  signal: AbortSignal,
): Promise<TimedBuild> {
  using progress = new Progress(stream);
  const startMs = performance.now();
  const watch = {
    begun: (title: string, line: string) => progress.begin(title, line),
    line: (text: string) => progress.note(text),
    ended: (outcome: ToolEnd) => progress.end(outcome),
    signal,
  };
  const outcome = await kit.build({ folder, name, watch });
  return { outcome, durationMs: performance.now() - startMs };
}

/** The plugin's name: the project's, where it is one. */
export function pluginNameOf({ name, folder }: Project): PluginName {
  return nameOfFile(name ?? folder);
}

/** Loads the component as a replica would, without any right; its compiled form stays in the cache. */
export async function examineComponent(examiner: Examiner, name: PluginName, path: string): Promise<Examination> {
  const { specOf } = await import("./examination.ts");
  return await examiner.examine(specOf(name, path, denyAll(name)));
}

/** What the tool wrote, for whom it is meant as it is. */
export function failureText(outcome: BuildOutcome & { kind: "failed" }): string {
  const output = outcome.output.trim();
  return output === "" ? "" : `${output}\n`;
}

/** The error of a build that failed. */
export function failureError({ tool, advice }: BuildOutcome & { kind: "failed" }): HostError {
  return new HostError(
    "build-failed",
    `${tool} could not build the plugin${advice === undefined ? "" : `; ${advice}`}`,
  );
}

/** What was built, and what it requests where that is known, a line each. */
export async function builtText(
  project: Project,
  { component, durationMs }: { readonly component: string; readonly durationMs: number },
  examination: Examination | undefined,
  stream: OutputStream,
): Promise<string> {
  const { size } = await stat(component);
  const language = LANGUAGE_NAMES[project.language];
  const rows = [
    ["built", `${shownPath(component)}, ${sizeText(size)}, from ${language} in ${durationText(durationMs)}`],
  ];
  if (examination?.outcome.kind === "loaded") rows.push(["requests", describeRequest(examination.outcome.requested)]);
  return `${alignColumns(rows.map(([label = "", value = ""]) => [styled(stream, "quiet", label), value])).join("\n")}\n`;
}

/** `17 KB`, `1.2 MB`. */
function sizeText(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} KB`;
}
