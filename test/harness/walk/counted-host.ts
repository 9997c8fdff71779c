/**
 * Imported before a replica's program: counts its calls and has it start counted runners. A signal is passed on to them,
 * and what they say of their calls to the replica's own standard error.
 *
 * @module
 */

import childProcess, { type ChildProcess } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";
import { besidePath, countCalls } from "./call-counts.ts";
import { HOST_MARK, RUNNER_MARK } from "./marks.ts";

const RUNNER = "src/runner/main.ts";
const COUNTED_RUNNER = besidePath("counted-runner.ts");
const HARNESS = besidePath("..");

const { spawn } = childProcess;

function spawnCounted(...[file, args, options]: Parameters<typeof spawn>): ChildProcess {
  if (!args.some((argument) => argument.endsWith(RUNNER))) return spawn(file, args, options);
  const counted = args.flatMap((argument) =>
    argument.endsWith(RUNNER) ? ["--allow-inspector", `--allow-fs-read=${HARNESS}`, COUNTED_RUNNER] : [argument],
  );
  const runner = spawn(file, counted, options);
  const pass = (): void => void runner.kill("SIGWINCH");
  process.on("SIGWINCH", pass);
  runner.once("exit", () => process.off("SIGWINCH", pass));
  if (runner.stderr !== null) {
    createInterface({ input: runner.stderr }).on("line", (line) => {
      if (line.startsWith(RUNNER_MARK)) process.stderr.write(`${line}\n`);
    });
  }
  return runner;
}

Object.assign(childProcess, { spawn: spawnCounted });
syncBuiltinESMExports();
countCalls(HOST_MARK);
