/**
 * `network-host reload`: has a running replica read its files again, and tells what came of it.
 *
 * @module
 */

import { Command } from "commander";
import type { RefusedPlugin, ReloadReport } from "../control/report.ts";
import { HostError } from "../errors/host-error.ts";
import { parseDurationMs } from "./duration.ts";
import { formatError } from "./error-report.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { askReplicas, exitCodeOfFailure, type ReplicaAnswer, worstExitCode } from "./running-replicas.ts";
import { CONTROL_SETTING } from "./serve-options.ts";
import { type Flags, settingOption } from "./settings.ts";
import { filesLines, indented } from "./status-text.ts";
import { type OutputStream, shownPath, styled, type Terminal, write } from "./terminal.ts";

const HELP = `
Consumer file, policies and components are read again, whatever their times say, and what could not be loaded is tried
anew, as at SIGHUP. A replica also follows its files by itself: this command waits until what they hold is in force,
and says what is refused and why.

Examples:
  $ network-host reload                          the one replica that runs here as this user
  $ network-host reload web-1                    one of several, by its replica id or process id
  $ network-host reload --all --json
  $ docker compose exec consumer network-host reload

Exit codes: 0 the files are in force; 1 a component is refused, or a setting takes a restart; 2 a file is invalid or
wrong usage; 3 no replica answers, or it was not done in time. See docs/command-line.md.`;

const DEFAULT_TIMEOUT = "2m";

/** The command. `done` takes its exit code. */
export function createReloadCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("reload")
    .summary("have a running replica read its files again")
    .description("Has a running replica read its files again, and waits until they are in force.")
    .argument("[replica]", "its id or process id; needed where several run")
    .option("--all", "every replica that runs here")
    .option("--timeout <time>", "how long a replica may take", DEFAULT_TIMEOUT)
    .option("--json", "print one JSON object")
    .addOption(settingOption(CONTROL_SETTING))
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, flags: Flags) => {
      done(await reload(name, flags, terminal));
    });
}

async function reload(name: string | undefined, flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const { env, stdout, stderr } = terminal;
  const isAll = flags["all"] === true;
  if (isAll && name !== undefined) throw new HostError("usage-invalid", "name a replica or give --all, not both");
  const timeoutMs = parseDurationMs("--timeout", String(flags["timeout"]));
  const answers = await askReplicas("reload", { name, several: isAll ? "all" : "refuse", timeoutMs }, { flags, env });
  const code = worstExitCode(answers.map(exitCodeOfAnswer));
  if (flags["json"] === true) {
    await write(stdout, `${JSON.stringify({ ok: code === EXIT.ok, replicas: answers.map(answerJson) })}\n`);
    return code;
  }
  for (const each of answers) {
    if (each.kind === "answered") await write(stdout, reloadText(each.answer, stdout));
    else await write(stderr, formatError(each.error, stderr));
  }
  return code;
}

function exitCodeOfAnswer(answer: ReplicaAnswer<"reload">): ExitCode {
  if (answer.kind === "failed") return exitCodeOfFailure(answer);
  const { inForce, files } = answer.answer;
  if (inForce) return EXIT.ok;
  return files.problems.length > 0 || files.failure?.code === "config-invalid" ? EXIT.usage : EXIT.failed;
}

function answerJson(answer: ReplicaAnswer<"reload">): Record<string, unknown> {
  if (answer.kind === "answered") return { ...answer.answer, error: null };
  const { code, message } = answer.error;
  return { replica: { pid: answer.pid }, error: { code, message } };
}

/** What happened to the files of one replica. */
function reloadText(report: ReloadReport, stream: OutputStream): string {
  const { replica, inForce, read, files, durationMs } = report;
  const verdict = inForce
    ? styled(stream, "good", "the files are in force")
    : styled(stream, "bad", "not everything is in force");
  const lines = [
    `replica ${replica.id} (process ${replica.pid}): ${verdict}, after ${durationMs} ms`,
    `  read: ${files.consumerFile === null ? "no consumer file" : shownPath(files.consumerFile)}, ${read.policies} policies in ${shownPath(files.policyDir)}, ${read.components} components`,
    ...namedLine("added", report.added),
    ...namedLine("changed", report.changed),
    ...namedLine("removed", report.removed),
    ...namedLine("denied by its policy", report.denied),
    ...filesLines(files, stream),
    ...report.refused.map((refusal) => refusedLine(refusal, stream)),
  ];
  return `${lines.join("\n")}\n`;
}

function namedLine(what: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`  ${what}: ${names.join(", ")}`];
}

function refusedLine({ name, component, error, serves }: RefusedPlugin, stream: OutputStream): string {
  const meanwhile = serves === "older-version" ? "an older version serves" : "it is not served";
  const refused = styled(stream, "bad", "refused");
  return `  ${refused} ${name}, ${shownPath(component)}: ${error.code}: ${indented(error.message)}\n    ${meanwhile}`;
}
