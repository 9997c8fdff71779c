/**
 * `network-host call`: one request from the command line.
 *
 * @module
 */

import { Command } from "commander";
import { isPluginName, PLUGIN_NAME_MAX_LENGTH, type PluginName } from "../contract/names.ts";
import { toHostError } from "../errors/host-error.ts";
import { streamWarning } from "./call-diagnosis.ts";
import { type CallReport, reportReply, writeReport } from "./call-output.ts";
import { localError } from "./call-reply.ts";
import { type CallRequest, sendCall } from "./call-request.ts";
import type { ExitCode } from "./exit-codes.ts";
import { NATS_SETTINGS, parseNatsOptions } from "./nats-settings.ts";
import {
  addReplyOptions,
  addRequestArguments,
  readRequest,
  type ReplyFlags,
  REQUEST_HELP,
  type RequestFlags,
} from "./request-arguments.ts";
import { badSetting, settingOption } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
${REQUEST_HELP}

Examples:
  $ network-host call echo hello "some text"
  $ network-host call user-data process @request.json --timeout 2s > reply.bin
  $ echo '{"a":1}' | network-host call echo hello - --json | jq .body

Exit codes: 0 the plugin answered; 1 it failed, or the request or the policy is at fault; 2 wrong usage;
3 no answer, too busy or too slow: try again; 70 a bug. See docs/command-line.md.`;

/** The command. `done` takes its exit code. */
export function createCallCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("call")
    .summary("send one request to a plugin and print its reply")
    .description("Sends one request to a plugin over NATS and prints the body of its reply.")
    .argument("<plugin>", "the plugin's name")
    .addHelpText("after", HELP);
  addReplyOptions(addRequestArguments(command));
  for (const setting of NATS_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (plugin: string, method: string, payload: string, flags: RequestFlags & ReplyFlags) => {
    const request: CallRequest = {
      nats: parseNatsOptions({ ...flags }, terminal.env),
      plugin: parsePlugin(plugin),
      ...(await readRequest(method, payload, flags, terminal)),
    };
    done(await writeReport(await reportOf(request), flags, terminal));
  });
}

async function reportOf(request: CallRequest): Promise<CallReport> {
  const { plugin } = request;
  try {
    const { reply, streams, ...times } = await sendCall(request);
    const warnings = streams.length === 0 ? [] : [streamWarning(plugin, streams)];
    return { ...reportReply(request, reply), warnings, times };
  } catch (thrown) {
    const error = toHostError(thrown);
    if (error.row.fault === "bug") throw error;
    const reply = { kind: "error", error: localError(error), id: undefined, body: new Uint8Array(0) } as const;
    return { ...reportReply(request, reply), warnings: [], times: undefined };
  }
}

function parsePlugin(text: string): PluginName {
  if (isPluginName(text)) return text;
  throw badSetting(
    { text, source: "<plugin>" },
    `write words of a-z and 0-9 joined by '-', at most ${PLUGIN_NAME_MAX_LENGTH} characters`,
  );
}
