/**
 * `network-host call`: one request from the command line.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { isPluginName, PLUGIN_NAME_MAX_LENGTH, type PluginName } from "../contract/names.ts";
import { DEFAULT_PLUGIN_LIMITS } from "../contract/limits.ts";
import { HEADER, METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../contract/protocol.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { streamWarning } from "./call-diagnosis.ts";
import { type CallReport, writeJsonReport, writeTextReport } from "./call-output.ts";
import { readPayload } from "./call-payload.ts";
import { localError } from "./call-reply.ts";
import { type CallRequest, sendCall } from "./call-request.ts";
import { parseDurationMs } from "./duration.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { NATS_SETTINGS, parseNatsOptions } from "./nats-settings.ts";
import { badSetting, settingOption } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
The payload is sent as it is written; @file sends a file's content, - sends standard input, @@text sends @text.
The body of the reply goes to standard output, byte for byte unless that is a terminal; the plugin's status,
errors and times go to standard error.

Examples:
  $ network-host call echo hello "some text"
  $ network-host call user-data process @request.json --timeout 2s > reply.bin
  $ echo '{"a":1}' | network-host call echo hello - --json | jq .body

Exit codes: 0 the plugin answered; 1 it failed, or the request or the policy is at fault; 2 wrong usage;
3 no answer, too busy or too slow: try again; 70 a bug. See docs/command-line.md.`;

interface CallFlags {
  readonly timeout: string;
  readonly id?: string;
  readonly header: readonly string[];
  readonly json?: true;
  readonly fail?: true;
}

/** The command. `done` takes its exit code. */
export function createCallCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("call")
    .summary("send one request to a plugin and print its reply")
    .description("Sends one request to a plugin over NATS and prints the body of its reply.")
    .argument("<plugin>", "the plugin's name")
    .argument("[method]", "the method, if the plugin has several", "")
    .argument("[payload]", "text, @file or - for standard input", "")
    .option("--timeout <time>", "how long the plugin may take: 500ms, 5s", `${DEFAULT_PLUGIN_LIMITS.deadlineMs}ms`)
    .option("--id <id>", "the request's id (default: a random UUID)")
    .option("--header <name=value>", "an additional header; may be repeated", collect, [])
    .option("--json", "print the result as one JSON object on standard output")
    .option("--fail", "exit with 1 when the plugin's status is 400 or more")
    .addHelpText("after", HELP);
  for (const setting of NATS_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (plugin: string, method: string, payload: string, flags: CallFlags) => {
    const request: CallRequest = {
      nats: parseNatsOptions({ ...flags }, terminal.env),
      plugin: parsePlugin(plugin),
      method: parseMethod(method),
      id: parseId(flags.id),
      timeoutMs: parseDurationMs("--timeout", flags.timeout),
      headers: flags.header.map(parseHeader),
      payload: await readPayload(payload, terminal.stdin),
    };
    done(await runCall(request, flags, terminal));
  });
}

/** Sends the request, shows the outcome and returns the exit code. */
async function runCall(request: CallRequest, flags: CallFlags, terminal: Terminal): Promise<ExitCode> {
  const report = await reportOf(request);
  await (flags.json === true ? writeJsonReport(report, terminal) : writeTextReport(report, terminal));
  if (report.error !== undefined) return report.error.exitCode;
  return flags.fail === true && (report.status ?? 0) >= 400 ? EXIT.failed : EXIT.ok;
}

async function reportOf(request: CallRequest): Promise<CallReport> {
  const { plugin, method, id } = request;
  try {
    const { reply, streams, ...times } = await sendCall(request);
    const outcome =
      reply.kind === "ok" ? { status: reply.status, error: undefined } : { status: undefined, error: reply.error };
    const warnings = streams.length === 0 ? [] : [streamWarning(plugin, streams)];
    return { plugin, method, id: reply.id ?? id, body: reply.body, warnings, times, ...outcome };
  } catch (thrown) {
    const error = toHostError(thrown);
    if (error.row.fault === "bug") throw error;
    return {
      plugin,
      method,
      id,
      status: undefined,
      error: localError(error),
      body: new Uint8Array(0),
      warnings: [],
      times: undefined,
    };
  }
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function parsePlugin(text: string): PluginName {
  if (isPluginName(text)) return text;
  throw badSetting(
    { text, source: "<plugin>" },
    `write words of a-z and 0-9 joined by '-', at most ${PLUGIN_NAME_MAX_LENGTH} characters`,
  );
}

function parseMethod(text: string): string {
  if (Buffer.byteLength(text) <= METHOD_MAX_BYTES && !/[\r\n]/.test(text)) return text;
  throw new HostError("usage-invalid", `[method]: write one line of at most ${METHOD_MAX_BYTES} bytes`);
}

function parseId(text: string | undefined): string {
  if (text === undefined) return randomUUID();
  if (/^[\x21-\x7e]+$/.test(text) && text.length <= REQUEST_ID_MAX_BYTES) return text;
  throw new HostError("usage-invalid", `--id: write 1 to ${REQUEST_ID_MAX_BYTES} visible ASCII characters`);
}

/** The headers that flags and arguments stand for. */
const OWN_HEADERS: Readonly<Record<string, string>> = {
  [HEADER.id.toLowerCase()]: "--id",
  [HEADER.timeoutMs.toLowerCase()]: "--timeout",
  [HEADER.method.toLowerCase()]: "the [method] argument",
};

/** `name=value`; a name is a token of RFC 9110, section 5.6.2. */
function parseHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([^\r\n]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw badSetting({ text, source: "--header" }, "write name=value, for example traceparent=00-…");
  }
  const own = OWN_HEADERS[name.toLowerCase()];
  if (own !== undefined) throw new HostError("usage-invalid", `--header ${name}: use ${own} instead`);
  return [name, value];
}
