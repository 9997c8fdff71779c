import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { DEFAULT_PLUGIN_LIMITS } from "../../../../src/contract/limits.ts";
import { RunnerChild, type RunnerOptions } from "../../../../src/supervisor/process/runner-child.ts";
import { startChild } from "../../../../src/supervisor/sandbox/start-child.ts";

const OPTIONS: RunnerOptions = {
  config: { artifactDir: tmpdir(), engine: "auto", maxIdleInstances: 1, maxIdleBytes: 0, replyBytes: 0, logBytes: 0 },
  limits: DEFAULT_PLUGIN_LIMITS,
  memories: 1,
  makesObjects: false,
  engine: "linker",
};

describe.runIf(process.platform === "linux")("a runner's process", () => {
  test("is looked at until it has nothing to do, and again each time that it has", async () => {
    const child = await startChild({
      file: process.execPath,
      args: ["--eval", "setInterval(() => {}, 1_000)"],
      cwd: tmpdir(),
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    const exited = Promise.withResolvers<void>();
    let looks = 0;
    const runner = new RunnerChild(child, OPTIONS, {
      isBusy: () => {
        looks += 1;
        return false;
      },
      isStarting: () => false,
      isOverdue: () => false,
      failed: () => undefined,
      memoryExceeded: () => undefined,
      exited: () => exited.resolve(),
    });
    try {
      // At its memory and at its use of the processor; there was nothing to do, so that both watches sleep then.
      for (let expected = 2; expected <= 6; expected += 2) {
        await expect.poll(() => looks).toBe(expected);
        runner.noteWork();
      }
    } finally {
      runner.kill();
      await exited.promise;
    }
  });
});
