/**
 * `network-host test`: runs a plugin's test files, without NATS and without a database.
 *
 * @module
 */

import { Command } from "commander";
import { HostError } from "../errors/host-error.ts";
import type { ExitCode } from "./exit-codes.ts";
import { CACHE_SETTING, ENGINE_SETTING, parseCacheDir, parseEngine } from "./serve-options.ts";
import { type Flags, parsePath, settingOption } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
A test file says what a plugin finds (keys, faults of the store, answers of HTTP servers), which requests it gets, and
what is expected of it. The plugin runs as on a replica, in its process with its sandbox, policy and limits; only the
store and the HTTP servers are the test's.

  component: build/greeter.wasm
  cases:
    - name: greets by name
      request: { method: greet, payload: Ada }
      expect: { status: 200, body: "hello, Ada" }

Examples:
  $ network-host test                                     every *.test.yaml here and below
  $ network-host test greeter.test.yaml --watch
  $ network-host test --filter "greets" --engine jco
  $ network-host test --junit results.xml
  $ network-host test --conformance build/greeter.wasm    does it keep to the contract? See the page below

Exit codes: 0 every case passed; 1 a case failed or a plugin cannot be loaded; 2 a test file is invalid or wrong usage.
See docs/write-a-plugin/testing.md.`;

/** The command. `done` takes its exit code. */
export function createTestCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("test")
    .summary("run a plugin's tests, without NATS and without a database")
    .description("Runs the cases of test files against their plugins.")
    .argument("[files...]", "test files; by default every *.test.yaml here and below")
    .option("--component <file>", "test this component instead of the one that the files name")
    .option("--conformance <component>", "run the cases of the contract against this component")
    .option("--filter <text>", "only cases with this text in their names")
    .option("--watch", "run again whenever a test file or a component changes")
    .option("--junit <file>", "also write the results as JUnit XML")
    .option("--json", "print one JSON object")
    .addOption(settingOption(ENGINE_SETTING))
    .addOption(settingOption(CACHE_SETTING))
    .addHelpText("after", HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await test(files, flags, terminal));
    });
}

async function test(files: readonly string[], flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const path = (name: string): string | undefined => {
    const text = flags[name];
    return typeof text === "string" ? parsePath({ text, source: `--${name}` }) : undefined;
  };
  const conformance = path("conformance");
  if (conformance !== undefined && (files.length > 0 || flags["component"] !== undefined))
    throw new HostError(
      "usage-invalid",
      "--conformance names the component and has its own cases: leave the others out",
    );
  const options = {
    suite: conformance === undefined ? "own" : "conformance",
    files:
      conformance === undefined
        ? files.map((text) => parsePath({ text, source: "files" }))
        : [(await import("../testing/conformance-file.ts")).CONFORMANCE_FILE],
    component: conformance ?? path("component"),
    engine: parseEngine(flags, terminal.env),
    cacheDir: parseCacheDir(flags, terminal.env),
    filter: typeof flags["filter"] === "string" ? flags["filter"] : undefined,
    junit: path("junit"),
    format: flags["json"] === true ? "json" : "text",
  } as const;
  const isWatching = flags["watch"] === true;
  if (isWatching && options.format === "json")
    throw new HostError("usage-invalid", "--watch and --json exclude each other: leave one out");
  // Loaded here, so that the other commands start without them.
  if (isWatching) return await (await import("./test-watch.ts")).watchTests(options, terminal);
  const { runTests } = await import("./test-run.ts");
  return await runTests(options, terminal);
}
