/**
 * `network-host inspect`: what a component is, imports, exports and requests, and whether a policy allows it.
 *
 * @module
 */

import { Command } from "commander";
import type { PluginName } from "../contract/names.ts";
import { denyAll } from "../policy/create-policy.ts";
import type { Policy } from "../policy/policy.ts";
import { smallestPolicy } from "../policy/smallest-policy.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { formatError } from "./error-report.ts";
import type { Examination } from "./examination.ts";
import { describeLoops, describeRequest, factsJson, problemOf, verdictJson } from "./examination-report.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { freshStateRows } from "./fresh-state-report.ts";
import type { LevelUsage } from "./inspect-usage.ts";
import { levelColumns, levelRemarks, type LevelRow, levelRows } from "./level-overview.ts";
import { NATS_SETTINGS, parseNatsOptions } from "./nats-settings.ts";
import { nameOfFile, parsePluginName } from "./plugin-name.ts";
import { withSchemaOfPackage } from "./schema-line.ts";
import { CACHE_SETTING, parseCacheDir } from "./serve-options.ts";
import { parsePath, settingOption } from "./settings.ts";
import { usedTargetColumns } from "./used-targets-report.ts";
import { alignColumns, shownPath, styled, type Terminal, write } from "./terminal.ts";

const HELP = `
The component passes the same gate, compiler and probe as in "serve". Only its get-access-levels runs, in a process of
its own without access to anything.

With --live the replicas report which levels, buckets and hosts the plugin has used, and the smallest policy names the
shared buckets and the hosts with their methods. The plugin chose these names: read the policy before you keep it.

Examples:
  $ network-host inspect echo.wasm
  $ network-host inspect build/plugin.wasm --policy policy --plugin user-data
  $ network-host inspect echo.wasm --print-policy > policy/echo.yaml
  $ network-host inspect build/plugin.wasm --policy policy --plugin user-data --live
  $ network-host inspect build/plugin.wasm --plugin user-data --live --print-policy

Exit codes: 0 it loads and, with --policy, is granted what it requests; 1 it does not load or is denied; 2 wrong
usage, or a file that cannot be read. See docs/command-line.md.`;

interface InspectFlags {
  readonly policy?: string;
  readonly plugin?: string;
  readonly json?: true;
  readonly printPolicy?: true;
  readonly live?: true;
  readonly cache?: string;
}

/** The command. `done` takes its exit code. */
export function createInspectCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("inspect")
    .summary("show what a component imports, exports and requests")
    .description("Shows what a component imports, exports and requests, and whether a policy allows it.")
    .argument("<component>", "the component's file")
    .option("--policy <dir>", "check it against the policies in this folder")
    .option("--plugin <name>", "the plugin's name (default: derived from the file's name)")
    .option("--print-policy", "print the smallest policy file that allows what it requests, and nothing else")
    .option("--live", "ask the replicas over NATS what the plugin has used, and name that in the smallest policy")
    .option("--json", "print one JSON object")
    .addOption(settingOption(CACHE_SETTING))
    .addHelpText("after", HELP);
  for (const setting of NATS_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (component: string, flags: InspectFlags) => {
    done(await inspect(parsePath({ text: component, source: "<component>" }), flags, terminal));
  });
}

function policyText(...facts: Parameters<typeof smallestPolicy>): string {
  return withSchemaOfPackage(smallestPolicy(...facts));
}

async function inspect(path: string, flags: InspectFlags, terminal: Terminal): Promise<ExitCode> {
  const examination = await examine(path, flags, terminal);
  const { name, outcome } = examination;
  const isJudged = flags.policy !== undefined;
  const usage = flags.live === true ? await usageOf(name, flags, terminal) : undefined;
  const levels = levelRows(examination, isJudged, usage);
  if (flags.json === true) {
    const facts = isJudged ? verdictJson(examination) : factsJson(examination);
    const policy = outcome.kind === "loaded" ? policyText(name, outcome.requested, usage?.targets) : null;
    const used = { replicas: usage?.replicas ?? null, usedTargets: usage?.targets ?? null };
    const value = { ...facts, levels, ...used, smallestPolicy: policy };
    await write(terminal.stdout, `${JSON.stringify(value)}\n`);
  } else if (outcome.kind === "failed") {
    await write(terminal.stderr, formatError(outcome.error, terminal.stderr));
  } else if (flags.printPolicy === true) {
    await write(terminal.stdout, policyText(name, outcome.requested, usage?.targets));
    return EXIT.ok;
  } else {
    await write(terminal.stdout, reportOf(examination, isJudged, terminal));
    await write(terminal.stdout, levelReport(levels, usage, terminal));
    await write(terminal.stdout, policyReport(policyText(name, outcome.requested, usage?.targets), terminal));
  }
  if (outcome.kind === "failed") return exitCodeOf(outcome.error.code);
  return isJudged && outcome.verdict.kind === "denied" ? EXIT.failed : EXIT.ok;
}

async function usageOf(name: PluginName, flags: InspectFlags, { env }: Terminal): Promise<LevelUsage> {
  const { readUsage } = await import("./inspect-usage.ts");
  return await readUsage(parseNatsOptions({ ...flags }, env), name);
}

async function examine(path: string, flags: InspectFlags, terminal: Terminal): Promise<Examination> {
  const name = flags.plugin === undefined ? nameOfFile(path) : parsePluginName(flags.plugin);
  const policy = await policyOf(name, flags.policy);
  // Loaded here, so that the other commands start without it.
  const { Examiner, specOf } = await import("./examination.ts");
  await using examiner = await Examiner.open(parseCacheDir({ ...flags }, terminal.env));
  return await examiner.examine(specOf(name, path, policy));
}

async function policyOf(name: PluginName, dir: string | undefined): Promise<Policy> {
  if (dir === undefined) return denyAll(name);
  const { loadPolicyDir } = await import("../config/policy-folder.ts");
  return (await loadPolicyDir(parsePath({ text: dir, source: "--policy" }))).policyFor(name);
}

function reportOf(examination: Examination, isJudged: boolean, { stdout }: Terminal): string {
  const { path, file, outcome, name, policy } = examination;
  if (outcome.kind === "failed") return "";
  const rows: [string, string][] = [
    ["plugin", name],
    ["digest", `sha256:${file?.digest ?? ""}`],
    ["size", `${file?.bytes ?? 0} bytes`],
    ...listRows("imports", outcome.imports),
    ...listRows("exports", outcome.exports),
    ["engine", outcome.engine],
    ["loops", describeLoops(outcome.engine)],
    ...freshStateRows(outcome.freshState),
    ["requests", describeRequest(outcome.requested)],
  ];
  if (isJudged) {
    const problem = problemOf(examination);
    rows.push(["policy", `revision ${policy.revision}`]);
    rows.push(["verdict", problem === undefined ? styled(stdout, "good", "granted") : styled(stdout, "bad", problem)]);
  }
  const lines = alignColumns(rows.map(([label, value]) => [`  ${styled(stdout, "quiet", label)}`, value]));
  return `${[styled(stdout, "strong", shownPath(path)), ...lines].join("\n")}\n`;
}

function levelReport(levels: readonly LevelRow[], usage: LevelUsage | undefined, { stdout }: Terminal): string {
  const [heading = [], ...rows] = levelColumns(levels);
  const lines = alignColumns([heading.map((title) => styled(stdout, "quiet", title)), ...rows]);
  const remarks = levelRemarks(levels).map((remark) => styled(stdout, "warning", remark));
  if (usage !== undefined)
    remarks.push(styled(stdout, "quiet", `used: since the start of ${usage.replicas} replica(s)`));
  const [title = [], ...used] = usage === undefined ? [] : usedTargetColumns(usage.targets);
  const targets = alignColumns([title.map((text) => styled(stdout, "quiet", text)), ...used]);
  return [[...lines, ...remarks], used.length === 0 ? [] : targets]
    .filter((block) => block.length > 0)
    .map((block) => `\n${block.map((line) => `  ${line}\n`).join("")}`)
    .join("");
}

function policyReport(policy: string, { stdout }: Terminal): string {
  const heading = styled(stdout, "quiet", "the smallest policy that would do");
  return `\n  ${heading}\n${policy.trimEnd().replaceAll(/^/gm, "    ")}\n`;
}

function listRows(label: string, names: readonly string[]): [string, string][] {
  const shown = names.length === 0 ? ["none"] : names;
  return shown.map((name, index) => [index === 0 ? label : "", printableText(name)]);
}
