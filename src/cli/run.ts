/**
 * `network-host run`: one request to a component, in this process's own surroundings, without NATS and without files.
 *
 * @module
 */

import { Command } from "commander";
import type { Workbench } from "../app-workbench.ts";
import { createAuthorLogger, detailOf, type LogRecord } from "./author-log.ts";
import { type CallReport, reportReply, writeReport } from "./call-output.ts";
import { parseReply } from "./call-reply.ts";
import type { ExitCode } from "./exit-codes.ts";
import {
  addReplyOptions,
  addRequestArguments,
  readRequest,
  type ReplyFlags,
  REQUEST_HELP,
  type RequestFlags,
  type WrittenRequest,
} from "./request-arguments.ts";
import { LOG_SETTINGS, parseLogOptions, parseRunnerOptions, RUNNER_SETTINGS } from "./serve-options.ts";
import { parsePath, settingOption } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { readTriedPlugin, TRIED_OPTIONS, type TriedFlags, type TriedPlugin } from "./tried-plugin.ts";

const HELP = `
The component is checked, compiled, sandboxed and bounded as a replica would do it. Without --policy it may do what it
requests: the key-value store, which is empty at the start and forgotten at the end, and the hosts of --allow-host. The
log goes to standard error.

${REQUEST_HELP}

Examples:
  $ network-host run echo.wasm hello "some text"
  $ network-host run plugin.wasm process @request.json --policy policy/user-data.yaml
  $ network-host run fetcher.wasm get https://api.example.com/ --allow-host https://api.example.com

Exit codes: 0 the plugin answered; 1 it failed or cannot be loaded, or the request or the policy is at fault; 2 wrong
usage, or a file that cannot be read; 3 too slow or too busy: try again; 70 a bug. See docs/command-line.md.`;

type RunFlags = RequestFlags & ReplyFlags & TriedFlags;

/** The command. `done` takes its exit code. */
export function createRunCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("run")
    .summary("send one request to a component, without NATS and files")
    .description("Runs a component for one request, without NATS and without files, and prints the body of its reply.")
    .argument("<component>", "the component's file")
    .addHelpText("after", HELP);
  addReplyOptions(addRequestArguments(command));
  for (const option of TRIED_OPTIONS) command.addOption(option);
  for (const setting of [...RUNNER_SETTINGS, ...LOG_SETTINGS]) command.addOption(settingOption(setting));
  return command.action(async (component: string, method: string, payload: string, flags: RunFlags) => {
    const path = parsePath({ text: component, source: "<component>" });
    const plugin = await readTriedPlugin(path, flags);
    const request = await readRequest(method, payload, flags, terminal);
    let detail: string | undefined;
    const takes = (record: LogRecord): boolean => {
      detail = detailOf(record);
      return true;
    };
    await using bench = await openBench({ path, plugin, flags, terminal, takes });
    const report = await reportOf(bench, request);
    done(await writeReport({ ...report, ...(detail !== undefined && { detail }) }, flags, terminal));
  });
}

interface BenchOptions {
  readonly path: string;
  readonly plugin: TriedPlugin;
  readonly flags: RunFlags;
  readonly terminal: Terminal;
  readonly takes: (record: LogRecord) => boolean;
}

async function openBench({ path, plugin, flags, terminal, takes }: BenchOptions): Promise<Workbench> {
  const { env, stderr } = terminal;
  // Loaded here, so that the other commands start without it.
  const { Workbench } = await import("../app-workbench.ts");
  const log = parseLogOptions({ ...flags }, { env, stream: stderr, format: "pretty" });
  const logger = createAuthorLogger({ ...log, stream: stderr, takes });
  return await Workbench.open({ ...plugin, ...parseRunnerOptions({ ...flags }, env), componentPath: path, logger });
}

/** Throws what kept the component from being loaded. */
async function reportOf(bench: Workbench, request: WrittenRequest): Promise<CallReport> {
  const { state } = bench;
  if (state.kind === "failed") throw state.error;
  const startMs = performance.now();
  const reply = parseReply(await bench.request(request));
  const times = { roundTripMs: performance.now() - startMs };
  return { ...reportReply({ ...request, plugin: bench.slot.name }, reply), warnings: [], times };
}
