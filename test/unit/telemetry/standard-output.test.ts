import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createLogger, type Logger } from "../../../src/telemetry/logger.ts";
import type { WriteResult } from "../../../src/telemetry/output-writer.ts";
import { StandardOutput } from "../../../src/telemetry/standard-output.ts";
import { ScriptedWriter } from "./scripted-writer.ts";

const BASE = { replica: "r", group: "g" };
const FULL: WriteResult = { kind: "full" };
const FAILED: WriteResult = { kind: "failed", code: "ENOSPC" };

describe("standard output", () => {
  let writer: ScriptedWriter;
  let output: StandardOutput;
  let logger: Logger;
  const listeners = { beforeExit: process.listeners("beforeExit"), exit: process.listeners("exit") };
  beforeEach(() => {
    vi.useFakeTimers();
    writer = new ScriptedWriter();
    output = new StandardOutput(writer);
    logger = createLogger({ level: "info", pretty: false, base: BASE, destination: output });
  });
  afterEach(() => {
    vi.useRealTimers();
    // Each output would write at the end of the tests' process.
    for (const event of ["beforeExit", "exit"] as const) {
      for (const listener of process.listeners(event)) {
        if (!(listeners[event] as readonly unknown[]).includes(listener)) process.off(event, listener);
      }
    }
  });

  const records = (): unknown[] => writer.text.trimEnd().split("\n").map(parsed);

  test("is written to once for all records of a few milliseconds", () => {
    for (const message of ["a", "b", "c"]) logger.info(message);
    expect(writer.writes).toEqual([]);
    vi.advanceTimersByTime(10);
    expect(writer.writes.map((lines) => lines.trimEnd().split("\n").length)).toEqual([3]);
  });

  test("is written to at once when there is much to write, and when it is flushed", () => {
    logger.info("x".repeat(70_000));
    logger.info("y");
    expect(writer.writes).toHaveLength(1);
    logger.flush();
    expect(writer.writes).toHaveLength(2);
    logger.flush();
    expect(writer.writes).toHaveLength(2);
  });

  test("goes on where the reader had no more room, when it has some again", () => {
    writer.results.push({ kind: "written", bytes: 10 }, FULL, FULL);
    logger.info("first");
    logger.info("second");
    logger.flush();
    expect(writer.writes).toHaveLength(1);
    logger.info("third");
    vi.advanceTimersByTime(1_000);
    expect(records()).toMatchObject([{ msg: "first" }, { msg: "second" }, { msg: "third" }]);
    expect(output.dropped).toEqual({ "slow-reader": 0, "write-failed": 0 });
  });

  test("whose reader is too slow drops records beyond its bound, and says how many when the reader has caught up", () => {
    const line = `${"x".repeat(1024 * 1024 - 1)}\n`;
    writer.results.push(...Array.from({ length: 10 }, () => FULL));
    for (let written = 0; written < 20; written += 1) output.write(line);
    expect(output.dropped["slow-reader"]).toBe(4);
    vi.advanceTimersByTime(10_000);
    expect(writer.text.length).toBeGreaterThan(16 * line.length);
    expect(parsed(writer.text.trimEnd().split("\n").at(-1))).toMatchObject({
      level: "warn",
      records: 4,
      reason: "slow-reader",
    });
  });

  test("that cannot be written to drops records, goes on, and says how many and why once it can", () => {
    writer.results.push(FAILED, FAILED);
    for (const message of ["lost", "lost too"]) {
      logger.info(message);
      logger.flush();
    }
    expect(output.dropped["write-failed"]).toBe(2);
    logger.info("kept");
    logger.flush();
    vi.advanceTimersByTime(10);
    expect(records()).toMatchObject([
      { msg: "kept" },
      { level: "warn", records: 2, reason: "write-failed", code: "ENOSPC" },
    ]);
    logger.info("later");
    logger.flush();
    vi.advanceTimersByTime(10);
    expect(records(), "it is told once").toHaveLength(3);
  });

  test("ends a record that it could write in part alone, so that the next one stands by itself", () => {
    writer.results.push({ kind: "written", bytes: 10 }, FAILED, FAILED);
    for (const message of ["torn", "lost", "whole"]) {
      logger.info(message);
      logger.flush();
    }
    const [torn, whole] = writer.text.split("\n");
    expect(torn).toHaveLength(10);
    expect(parsed(whole)).toMatchObject({ msg: "whole" });
    expect(output.dropped["write-failed"]).toBe(2);
  });

  test("at the end of the process gives a reader without room a moment, and no more", () => {
    vi.useRealTimers();
    writer.writeNow = () => FULL;
    logger.info("never read");
    const beganAt = performance.now();
    output.end();
    expect(performance.now() - beganAt).toBeGreaterThanOrEqual(1_000);
    expect(writer.writes).toEqual([]);
  });
});

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? "") as unknown;
  } catch {
    return line;
  }
}

const MODULES = {
  logger: new URL("../../../src/telemetry/logger.ts", import.meta.url).href,
  output: new URL("../../../src/telemetry/standard-output.ts", import.meta.url).href,
};

/** Several batches. */
const RECORDS = 2_500;
const ENDINGS = ["process.exit(0)", "setImmediate(() => { throw new TypeError('on purpose') })", ""];

/** A module that logs numbered records and goes on by `rest`. */
function script(rest: string): string[] {
  const source = `
    const { createLogger } = await import(${JSON.stringify(MODULES.logger)});
    const { StandardOutput } = await import(${JSON.stringify(MODULES.output)});
    const output = new StandardOutput();
    const logger = createLogger({ level: "info", pretty: false, base: { replica: "r", group: "g" }, destination: output });
    const log = (first, count) => {
      for (let record = first; record < first + count; record += 1) logger.info({ record }, "x".repeat(100));
    };
    ${rest}`;
  return ["--input-type=module", "--eval", source];
}

function numbersOf(lines: string): unknown[] {
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => (parsed(line) as { record?: number }).record);
}

describe("a process that logs", () => {
  const all = [...Array(RECORDS).keys()];
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "output-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(ENDINGS)("to a pipe has written every record in order when it ends by %j", async (ending) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const lines = `log(0, ${RECORDS}); ${ending}`;
    execFile(process.execPath, script(lines), { maxBuffer: 2 ** 26 }, (_error, stdout) => resolve(stdout));
    expect(numbersOf(await promise)).toEqual(all);
  });

  test.each(ENDINGS)("to a file has written every record in order when it ends by %j", async (ending) => {
    const path = join(folder, "log");
    const descriptor = openSync(path, "w");
    const child = spawn(process.execPath, script(`log(0, ${RECORDS}); ${ending}`), {
      stdio: ["ignore", descriptor, "ignore"],
    });
    closeSync(descriptor);
    await once(child, "exit");
    expect(numbersOf(await readFile(path, "utf8"))).toEqual(all);
  });

  test.each(["/dev/full", "a pipe that nobody reads"])(
    "to %s goes on, counts what it drops, and ends",
    async (where) => {
      const isPipe = where !== "/dev/full";
      const path = isPipe ? join(folder, "fifo") : where;
      if (isPipe) execFileSync("mkfifo", [path]);
      // A reader that holds the pipe open and never reads.
      const reader = isPipe ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
      const descriptor = openSync(path, "w");
      const child = spawn(
        process.execPath,
        script(`
        for (let round = 0; round < 30; round += 1) {
          log(0, 10_000);
          // The other end is tried meanwhile.
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        process.stderr.write(JSON.stringify(output.dropped), () => process.exit(7));`),
        { stdio: ["ignore", descriptor, "pipe"] },
      );
      closeSync(descriptor);
      const [said, [code]] = await Promise.all([text(errorsOf(child)), once(child, "exit") as Promise<[number]>]);
      if (reader !== undefined) closeSync(reader);
      const dropped = JSON.parse(said) as Record<string, number>;
      expect(code).toBe(7);
      expect(dropped[isPipe ? "slow-reader" : "write-failed"]).toBeGreaterThan(1_000);
      expect(dropped[isPipe ? "write-failed" : "slow-reader"]).toBe(0);
    },
  );

  test("to a pipe whose reader goes away goes on, and ends by itself", async () => {
    const child = spawn(
      process.execPath,
      script(`
        process.on("SIGTERM", () => process.exit(7));
        const timer = setInterval(() => {
          log(0, 100);
          if (output.dropped["write-failed"] === 0) return;
          clearInterval(timer);
          setInterval(() => log(0, 1), 1);
          process.stderr.write("dropped");
        }, 1);`),
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    child.stdout?.destroy();
    expect(String(await once(errorsOf(child), "data"))).toBe("dropped");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([7, null]);
  });
});

function errorsOf({ stderr }: ChildProcess): NonNullable<ChildProcess["stderr"]> {
  if (stderr === null) throw new Error("standard error is not piped");
  return stderr;
}
