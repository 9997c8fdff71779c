import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { DEFAULT_PLUGIN_LIMITS } from "../../../../src/contract/limits.ts";
import type { Outcome } from "../../../../src/contract/request.ts";
import { decideConfinement } from "../../../../src/supervisor/sandbox/confinement.ts";
import type { RunnerCall } from "../../../../src/supervisor/process/runner-call.ts";
import { RunnerProcess } from "../../../../src/supervisor/process/runner-process.ts";
import { buildArtifact } from "../../runner/artifacts.ts";

const MIB = 1024 * 1024;

describe.runIf(process.platform === "linux")("amplification while values are lifted", () => {
  test("ends the runner, and takes nothing from the host", async () => {
    const runnerUser = { uid: 65_534, gid: 65_534 };
    await using runner = await RunnerProcess.start({
      config: {
        artifactDir: await buildArtifact("amplifier"),
        engine: "auto",
        maxIdleInstances: 1,
        maxIdleBytes: 1,
        replyBytes: MIB,
        logBytes: 64 * 1024,
      },
      limits: { ...DEFAULT_PLUGIN_LIMITS, runnerMemoryBytes: 512 * MIB },
      memories: 1,
      makesObjects: false,
      engine: "linker",
      confinement: await decideConfinement({ sandbox: "auto", runnerUser, cacheDir: tmpdir() }),
    });
    const before = process.memoryUsage.rss();
    const outcome = await new Promise<Outcome>((resolve) => {
      const call: Partial<RunnerCall> = { settle: resolve, remainingMs: () => 60_000 };
      runner.begin({ id: "1", method: "m", payload: Buffer.alloc(0) }, call as RunnerCall);
    });
    expect(outcome).toMatchObject({ kind: "failed", code: "memory-exceeded" });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
  });
});
