/**
 * The command line as a whole: arguments in, exit code out. It never ends the process itself.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import { HostError, toHostError } from "../errors/host-error.ts";
import { programVersion } from "../version.ts";
import { createBuildCommand } from "./build.ts";
import { createCacheCommand } from "./cache.ts";
import { createCallCommand } from "./call.ts";
import { createCheckCommand } from "./check.ts";
import { createCompileCommand } from "./compile.ts";
import { createDataCommand } from "./data.ts";
import { createDevCommand } from "./dev.ts";
import { formatError } from "./error-report.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { createInspectCommand } from "./inspect.ts";
import { createNewCommand } from "./new.ts";
import { createPullCommand } from "./pull.ts";
import { createPushCommand } from "./push.ts";
import { createReloadCommand } from "./reload.ts";
import { createRunCommand } from "./run.ts";
import { createServeCommand, type ServeCommandOptions } from "./serve.ts";
import { createSignCommand } from "./sign.ts";
import { createStatusCommand } from "./status.ts";
import { createTagsCommand } from "./tags.ts";
import { type OutputStream, type Terminal, writeLast } from "./terminal.ts";
import { createTestCommand } from "./test.ts";
import { createVerifyCommand } from "./verify.ts";
import { createWitCommand } from "./wit.ts";

const DESCRIPTION = `Runs WebAssembly components behind NATS request-reply: a request on rpc.<plugin> is handled by
the component of that name, which reaches only what it asked for and what a policy allows.`;

const HELP = `
First steps:
  $ network-host new typescript hello                      make a project for a plugin
  $ network-host dev greet World                           in its folder: build it, serve it, ask it, at each save
  $ network-host run echo.wasm hello "some text"           try a component, without NATS and files
  $ network-host check                                     are the consumer file, policies and components in order?
  $ network-host serve                                     serve the plugins of consumers/default.yaml
  $ network-host call echo hello "some text"               send a request to one of them
  $ network-host status                                    how are the replicas on this machine?
  $ network-host reload                                    have one read its files again
  $ network-host inspect echo.wasm --policy policy         what does a component import and request?
  $ network-host test                                      run a plugin's tests, without NATS and without a database
  $ network-host compile echo.wasm                         compile it ahead of time
  $ network-host cache list                                which compiled components are kept?
  $ network-host wit export plugin-contract                the contract, as a repository for plugin projects
  $ network-host push echo.wasm oci://host/echo:1.0.0      put a component into a registry
  $ network-host sign oci://host/echo@sha256:… --key k     sign what push printed`;

/** Runs a command. Resolves with the exit code when it is done; never rejects. */
export async function runProgram(
  args: readonly string[],
  terminal: Terminal,
  serveParts: ServeCommandOptions,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(terminal, serveParts, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && (thrown.exitCode === 0 || thrown.code === "commander.help")) {
      return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    const error = thrown instanceof CommanderError ? usageError(thrown) : toHostError(thrown);
    await writeLast(terminal.stderr, formatError(error, terminal.stderr));
    return exitCodeOf(error.code);
  }
}

function createProgram(terminal: Terminal, serveParts: ServeCommandOptions, done: (code: ExitCode) => void): Command {
  const program = new Command("network-host")
    .description(DESCRIPTION)
    .version(programVersion(), "--version", "print the version")
    .helpOption("-h, --help", "explain the program or a command")
    .helpCommand(false)
    .addHelpText("after", HELP);
  program.addCommand(createServeCommand(terminal, serveParts, done));
  program.addCommand(createCallCommand(terminal, done));
  program.addCommand(createNewCommand(terminal, done));
  program.addCommand(createBuildCommand(terminal, serveParts.signals, done));
  program.addCommand(createDevCommand(terminal, serveParts.signals, done));
  program.addCommand(createRunCommand(terminal, done));
  program.addCommand(createStatusCommand(terminal, done));
  program.addCommand(createReloadCommand(terminal, done));
  program.addCommand(createInspectCommand(terminal, done));
  program.addCommand(createTestCommand(terminal, done));
  program.addCommand(createCheckCommand(terminal, done));
  program.addCommand(createCompileCommand(terminal, done));
  program.addCommand(createCacheCommand(terminal, done));
  program.addCommand(createDataCommand(terminal, done));
  program.addCommand(createWitCommand(terminal, done));
  program.addCommand(createPushCommand(terminal, done));
  program.addCommand(createPullCommand(terminal, done));
  program.addCommand(createTagsCommand(terminal, done));
  program.addCommand(createSignCommand(terminal, done));
  program.addCommand(createVerifyCommand(terminal, done));
  for (const command of [program, ...program.commands]) {
    configure(command, terminal);
    for (const part of command === program ? [] : command.commands) configure(part, terminal);
  }
  return program;
}

/** Output goes to the terminal given, errors are thrown, and commander prints none itself. */
function configure(command: Command, { stdout, stderr }: Terminal): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => helpWidth(stdout),
    getErrHelpWidth: () => helpWidth(stderr),
  });
}

const MIN_HELP_WIDTH = 60;
const MAX_HELP_WIDTH = 120;

function helpWidth(stream: OutputStream): number {
  const columns = "columns" in stream && typeof stream.columns === "number" ? stream.columns : MAX_HELP_WIDTH;
  return Math.min(MAX_HELP_WIDTH, Math.max(MIN_HELP_WIDTH, columns));
}

/** What was typed is quoted behind the first quotation mark or colon. It is left out where it may be a URL with a password. */
function withoutUrls(message: string): string {
  const [said = message] = message.split(/['":]/);
  const typed = message.slice(said.length);
  return /[@]|:\/\//.test(typed) ? said.trim() : message;
}

function usageError(thrown: CommanderError): HostError {
  const message = withoutUrls(thrown.message.replace(/^error: /, "").replaceAll("\n", " "));
  return new HostError("usage-invalid", `${message}; see --help`);
}
