/**
 * `network-host check`: would a replica with these files serve every plugin? For operators and for CI.
 *
 * @module
 */

import { Command } from "commander";
import type { ReplicaFiles } from "../app-config.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import type { RegistryAccess } from "../oci/registry-access.ts";
import { explainSteps, explanationText } from "./check-explain.ts";
import type { Examination } from "./examination.ts";
import { describeRequest, problemOf, verdictJson, verdictWord } from "./examination-report.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import {
  CACHE_SETTING,
  CONSUMER_SETTING,
  parseCacheDir,
  parseConsumerFile,
  parsePolicyDir,
  POLICY_SETTING,
} from "./serve-options.ts";
import { parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { badSetting, type Flags, settingOption } from "./settings.ts";
import { alignColumns, shownPath, type Style, styled, type Terminal, write } from "./terminal.ts";

const HELP = `
Reads the consumer file and every policy, then loads each component as "serve" would: gate, compiler, probe,
decision. Nothing is served and neither NATS nor a store is needed.

Examples:
  $ network-host check
  $ network-host check --consumer consumers/payments.yaml --policy policy --json
  $ network-host check --explain payments

Exit codes: 0 every plugin would be served; 1 at least one would not; 2 a file is invalid or wrong usage.
See docs/command-line.md.`;

/** The command. `done` takes its exit code. */
export function createCheckCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("check")
    .summary("check consumer file, policies and components")
    .description("Checks the consumer file and the policies against the components, without serving anything.")
    .option("--explain <plugin>", "explain step by step why this plugin is served or not")
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of [CONSUMER_SETTING, POLICY_SETTING, CACHE_SETTING, ...REGISTRY_SETTINGS])
    command.addOption(settingOption(setting));
  return command.action(async (flags: Flags) => {
    done(await check(flags, terminal));
  });
}

/** What the report shows. */
interface CheckReport {
  readonly group: string;
  readonly examinations: readonly Examination[];
  readonly warnings: readonly string[];
}

async function check(flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const { env, stdout, stderr } = terminal;
  const isJson = flags["json"] === true;
  const only = typeof flags["explain"] === "string" ? flags["explain"] : undefined;
  const paths = { consumerFile: parseConsumerFile(flags, env), policyDir: parsePolicyDir(flags, env) };
  const files: ReplicaFiles = {
    consumer: { kind: "file", path: paths.consumerFile },
    policy: { folder: paths.policyDir, presence: "required" },
  };
  let report: CheckReport;
  try {
    report = await examineAll(files, parseCacheDir(flags, env), parseRegistryAccess(flags, env), only);
  } catch (thrown) {
    const error = toHostError(thrown);
    if (!isJson || error.row.fault === "bug") throw error;
    const { code, message } = error;
    await write(stdout, `${JSON.stringify({ ok: false, ...paths, error: { code, message } })}\n`);
    return exitCodeOf(code);
  }
  const ok = report.examinations.every((examination) => problemOf(examination) === undefined);
  if (isJson) {
    const { group, warnings, examinations } = report;
    const plugins = examinations.map((examination) => pluginJson(examination, only));
    const value = { ok, ...paths, group, plugins, warnings, error: null };
    await write(stdout, `${JSON.stringify(value)}\n`);
  } else if (only !== undefined) {
    for (const examination of report.examinations) await write(stdout, explanationText(examination, terminal));
  } else {
    await write(stdout, tableOf(report, terminal));
    await write(stderr, remarksOf(report, terminal));
  }
  return ok ? EXIT.ok : EXIT.failed;
}

/** One component after another: each may take a core and memory for a while. Only the plugin `only`, if given. */
async function examineAll(
  files: ReplicaFiles,
  cacheDir: string,
  access: RegistryAccess,
  only: string | undefined,
): Promise<CheckReport> {
  // Loaded here, so that the other commands start without them.
  const [{ KEEPS_LAST, planOf, readReplicaConfig }, { Examiner }] = await Promise.all([
    import("../app-config.ts"),
    import("./examination.ts"),
  ]);
  const config = await readReplicaConfig(files).catch((error: unknown) => {
    throw error instanceof HostError && error.code === "config-invalid" ? withConsequence(error, KEEPS_LAST) : error;
  });
  const { specs } = planOf(config, { ...files, cacheDir });
  const wanted = only === undefined ? specs : specs.filter(({ name }) => name === only);
  if (only !== undefined && wanted.length === 0) {
    const names = specs.map(({ name }) => name).join(", ");
    throw badSetting({ text: only, source: "--explain" }, `the consumer file names ${names}`);
  }
  await using examiner = await Examiner.open(cacheDir, { access });
  const examinations: Examination[] = [];
  for (const spec of wanted) examinations.push(await examiner.examine(spec));
  return { group: config.consumer.group, examinations, warnings: config.warnings };
}

/** What a replica would do with such files. */
function withConsequence(error: HostError, keepsLast: string): HostError {
  const consequence = `A replica does not start with these files. In a running one, ${keepsLast}.`;
  return new HostError(error.code, `${error.message}\n${consequence}`, { cause: error.cause });
}

function pluginJson(examination: Examination, only: string | undefined): Record<string, unknown> {
  const verdict = verdictJson(examination);
  return only === undefined ? verdict : { ...verdict, steps: explainSteps(examination) };
}

const VERDICT_STYLES = { granted: "good", denied: "bad", failed: "bad" } as const satisfies Record<string, Style>;

function tableOf({ group, examinations }: CheckReport, { stdout }: Terminal): string {
  const heading = ["PLUGIN", "VERDICT", "REQUESTS", "COMPONENT"].map((title) => styled(stdout, "quiet", title));
  const rows = examinations.map((examination) => {
    const { name, path, outcome } = examination;
    const word = verdictWord(examination);
    const requests = outcome.kind === "loaded" ? describeRequest(outcome.requested) : "unknown";
    return [name, styled(stdout, VERDICT_STYLES[word], word), requests, shownPath(path)];
  });
  const served = examinations.filter((examination) => problemOf(examination) === undefined).length;
  const summary = `consumer group ${group}: ${served} of ${examinations.length} plugins would be served`;
  return `${[...alignColumns([heading, ...rows]), "", summary].join("\n")}\n`;
}

function remarksOf({ examinations, warnings }: CheckReport, { stderr }: Terminal): string {
  const problems = examinations.flatMap((examination) => {
    const problem = problemOf(examination);
    return problem === undefined
      ? []
      : [`${styled(stderr, "bad", `${examination.name}:`)} ${problem.replaceAll("\n", "\n  ")}`];
  });
  const lines = [...problems, ...warnings.map((warning) => styled(stderr, "warning", warning))];
  return lines.map((line) => `${line}\n`).join("");
}
