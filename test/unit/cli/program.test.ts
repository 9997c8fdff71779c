import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../../src/cli/exit-codes.ts";
import { ERROR_CODES } from "../../../src/errors/table.ts";
import { run } from "./run.ts";

describe("the program", () => {
  test("explains itself with its commands and first steps", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Usage: network-host [options] [command]");
    for (const command of ["serve", "call", "inspect", "check"]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} \\[options\\]`, "m"));
      expect(stdout).toMatch(new RegExp(`^  \\$ network-host ${command}`, "m"));
    }
  });

  test.each(["serve", "call", "inspect", "check"])(
    "explains %s with flags, variables and examples",
    async (command) => {
      const { code, stdout, stderr } = await run([command, "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`Usage: network-host ${command} [options]`);
      expect(stdout).toMatch(/\(env\s+[A-Z_]+/);
      expect(stdout).toMatch(/^Examples:\n {2}\$ network-host/m);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    },
  );

  test("names every variable of serve in its help", async () => {
    const { stdout } = await run(["serve", "--help"]);
    const variables = [
      "NATS_URL",
      "NATS_CREDS",
      "NATS_TOKEN",
      "MONGODB_URL",
      "SQLITE_PATH",
      "CONSUMER_FILE",
      "POLICY_DIR",
      "REPLICA_ID",
      "CACHE_DIR",
      "HEALTH_PORT",
      "LOG_LEVEL",
      "LOG_FORMAT",
    ];
    for (const variable of variables) expect(stdout).toContain(variable);
  });

  test("prints the version of its package", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("without a command explains itself on standard error, as wrong usage", async () => {
    const { code, stdout, stderr } = await run([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: network-host");
  });

  test.each([
    [["cal"], "unknown command 'cal' (Did you mean call?); see --help"],
    [["call"], "missing required argument 'plugin'; see --help"],
    [["call", "echo", "--tiemout", "5"], "unknown option '--tiemout' (Did you mean --timeout?); see --help"],
    [["call", "echo", "a", "b", "c"], "too many arguments"],
    [["call", "echo", "--timeout"], "option '--timeout <time>' argument missing; see --help"],
  ])("says what is wrong with %j", async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error usage-invalid: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });

  test("has no colours where no terminal is", async () => {
    const { stdout, stderr } = await run(["call", "Not A Plugin"]);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});

describe("exit codes", () => {
  test("follow from who has to act and whether to try again", () => {
    expect(exitCodeOf("plugin-error")).toBe(1);
    expect(exitCodeOf("denied")).toBe(1);
    expect(exitCodeOf("usage-invalid")).toBe(2);
    expect(exitCodeOf("config-invalid")).toBe(2);
    expect(exitCodeOf("no-responders")).toBe(3);
    expect(exitCodeOf("nats-unavailable")).toBe(3);
    expect(exitCodeOf("deadline-exceeded")).toBe(3);
    expect(exitCodeOf("overloaded")).toBe(3);
    expect(exitCodeOf("internal")).toBe(70);
  });

  test("are in docs/command-line.md for every code of the error table", () => {
    const documented = new Map<string, number>();
    for (const line of readFileSync("docs/command-line.md", "utf8").split("\n")) {
      const [, exitCode, codes] = /^\| (\d+) +\|.*\| ((?:`[a-z-]+`(?:, )?)+) +\|$/.exec(line) ?? [];
      for (const [, code = ""] of (codes ?? "").matchAll(/`([a-z-]+)`/g)) documented.set(code, Number(exitCode));
    }
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(ERROR_CODES.map((code) => [code, exitCodeOf(code)])),
    );
  });
});
