/**
 * `network-host status`: how the replicas are that run on this machine.
 *
 * @module
 */

import { Command } from "commander";
import type { StatusReport } from "../control/report.ts";
import { parseDurationMs } from "./duration.ts";
import { formatError } from "./error-report.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { askReplicas, exitCodeOfFailure, type ReplicaAnswer, worstExitCode } from "./running-replicas.ts";
import { CONTROL_SETTING } from "./serve-options.ts";
import { type Flags, settingOption } from "./settings.ts";
import { statusText } from "./status-text.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
Asks replicas through their control sockets: all that run as this user on this machine (or in this container) and
have the same --control, or one, by its replica id or process id. A running replica needs no health port for that.

Examples:
  $ network-host status                          every replica here
  $ network-host status web-1 --json             one of them, as JSON
  $ docker compose exec consumer network-host status

Exit codes: 0 every replica is ready; 3 one is not, or none answers; 2 wrong usage. See docs/command-line.md.`;

const DEFAULT_TIMEOUT = "10s";

/** The command. `done` takes its exit code. */
export function createStatusCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("status")
    .summary("show the state of running replicas")
    .description(
      "Shows the state of running replicas: what is ready and why not, plugins, requests, store, NATS, files.",
    )
    .argument("[replica]", "its id or process id; all without it")
    .option("--timeout <time>", "how long a replica may take to answer", DEFAULT_TIMEOUT)
    .option("--json", "print one JSON object")
    .addOption(settingOption(CONTROL_SETTING))
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, flags: Flags) => {
      done(await status(name, flags, terminal));
    });
}

async function status(name: string | undefined, flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const { env, stdout, stderr } = terminal;
  const timeoutMs = parseDurationMs("--timeout", String(flags["timeout"]));
  const answers = await askReplicas("status", { name, several: "all", timeoutMs }, { flags, env });
  if (flags["json"] === true) {
    await write(stdout, `${JSON.stringify({ replicas: answers.map(answerJson) })}\n`);
  } else {
    const reports = answers.flatMap((each) => (each.kind === "answered" ? [each.answer] : []));
    await write(stdout, reports.map((report) => statusText(report, stdout)).join("\n"));
    for (const each of answers) if (each.kind === "failed") await write(stderr, formatError(each.error, stderr));
  }
  return worstExitCode(answers.map(exitCodeOfAnswer));
}

function exitCodeOfAnswer(answer: ReplicaAnswer<"status">): ExitCode {
  if (answer.kind === "failed") return exitCodeOfFailure(answer);
  return answer.answer.state === "ready" ? EXIT.ok : EXIT.unavailable;
}

function answerJson(answer: ReplicaAnswer<"status">): StatusReport | Record<string, unknown> {
  if (answer.kind === "answered") return { ...answer.answer, error: null };
  const { code, message } = answer.error;
  return { replica: { pid: answer.pid }, error: { code, message } };
}
