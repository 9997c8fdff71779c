/**
 * `network-host build`: makes the component of a plugin's project, by the tools of its language.
 *
 * @module
 */

import { Command } from "commander";
import { toHostError } from "../errors/host-error.ts";
import { formatError } from "./error-report.ts";
import { type ExitCode, EXIT, exitCodeOf } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";
import type { SignalSource } from "./serve.ts";
import { CACHE_SETTING, parseCacheDir } from "./serve-options.ts";
import { type Flags, parsePath, settingOption } from "./settings.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
The language is told by the folder: Cargo.toml, package.json, requirements.txt, go.mod or CMakeLists.txt, where it names
the package for plugins. What the project needs is installed into its folder first (node_modules, .venv, build). The
component is then checked and compiled as a replica would do it, and its compiled form stays in the cache.

Examples:
  $ network-host build
  $ network-host build plugins/hello --json | jq -r .component

Exit codes: 0 the component is built and can be loaded; 1 it is not, or a tool is missing; 2 wrong usage, or no project.
See docs/kit.md.`;

/** The command. `done` takes its exit code. */
export function createBuildCommand(terminal: Terminal, signals: SignalSource, done: (code: ExitCode) => void): Command {
  return new Command("build")
    .summary("make the component of a plugin's project")
    .description("Makes the component of a plugin's project, by the tools of its language.")
    .argument("[folder]", "the project's folder", ".")
    .option("--json", "print one JSON object")
    .addOption(settingOption(CACHE_SETTING))
    .addHelpText("after", HELP)
    .action(async (folder: string, flags: Flags) => {
      using interruption = new Interruption(signals);
      const path = parsePath({ text: folder, source: "[folder]" });
      done(await build(path, flags, terminal, interruption.signal));
    });
}

async function build(folder: string, flags: Flags, terminal: Terminal, signal: AbortSignal): Promise<ExitCode> {
  if (flags["json"] !== true) return await buildForPeople(folder, flags, terminal, signal);
  try {
    return await buildForPrograms(folder, flags, terminal, signal);
  } catch (thrown) {
    const error = toHostError(thrown);
    if (error.row.fault === "bug") throw error;
    const { code, message } = error;
    await write(terminal.stdout, `${JSON.stringify({ ok: false, component: null, error: { code, message } })}\n`);
    return exitCodeOf(code);
  }
}

async function buildForPeople(
  folder: string,
  flags: Flags,
  { env, stdout, stderr }: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { findProject, show, Examiner } = await load();
  const project = await findProject(folder);
  const { outcome, durationMs } = await show.buildProject(project, stderr, signal);
  if (outcome.kind === "failed") {
    await write(stderr, show.failureText(outcome));
    throw show.failureError(outcome);
  }
  const { component, remarks } = outcome;
  if (remarks !== "") await write(stderr, `${remarks}\n`);
  await using examiner = await Examiner.open(parseCacheDir(flags, env));
  const examination = await show.examineComponent(examiner, show.pluginNameOf(project), component);
  await write(stdout, await show.builtText(project, { component, durationMs }, examination, stdout));
  if (examination.outcome.kind === "loaded") return EXIT.ok;
  await write(stderr, formatError(examination.outcome.error, stderr));
  return exitCodeOf(examination.outcome.error.code);
}

async function buildForPrograms(
  folder: string,
  flags: Flags,
  { env, stdout, stderr }: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { findProject, show, Examiner, factsJson } = await load();
  const project = await findProject(folder);
  const { language } = project;
  const { outcome, durationMs } = await show.buildProject(project, stderr, signal);
  if (outcome.kind === "failed") {
    const { code, message } = show.failureError(outcome);
    const error = { code, message, output: outcome.output };
    await write(stdout, `${JSON.stringify({ ok: false, language, component: null, error })}\n`);
    return exitCodeOf(code);
  }
  const { component, remarks } = outcome;
  await using examiner = await Examiner.open(parseCacheDir(flags, env));
  const examination = await show.examineComponent(examiner, show.pluginNameOf(project), component);
  const failure = examination.outcome.kind === "failed" ? examination.outcome.error : undefined;
  const facts = { language, durationMs: Math.round(durationMs), remarks, ...factsJson(examination) };
  await write(stdout, `${JSON.stringify({ ok: failure === undefined, ...facts })}\n`);
  return failure === undefined ? EXIT.ok : exitCodeOf(failure.code);
}

/** Loaded late, so that the other commands start without it. */
async function load() {
  const [{ findProject }, show, { Examiner }, { factsJson }] = await Promise.all([
    import("../project/project.ts"),
    import("./project-build.ts"),
    import("./examination.ts"),
    import("./examination-report.ts"),
  ]);
  return { findProject, show, Examiner, factsJson };
}
