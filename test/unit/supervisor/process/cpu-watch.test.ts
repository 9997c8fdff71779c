import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { describe, expect, test } from "vitest";
import { CpuAppetite, CpuWatch } from "../../../../src/supervisor/process/cpu-watch.ts";
import { until } from "../../../harness/until.ts";

const START = { atMs: 0, ranMs: 0, waitedMs: 0 };
const GOOD = { isSuspect: false, isFinal: false };

/** Feeds a process's time in looks of 50 ms; each span says for how much of it the process runs and waits. */
function live(appetite: CpuAppetite, spans: readonly { ms: number; runs: number; waits?: number }[]): CpuAppetite {
  let sample = START;
  for (const { ms, runs, waits = 0 } of spans) {
    for (let passed = 0; passed < ms; passed += 50) {
      sample = {
        atMs: sample.atMs + 50,
        ranMs: sample.ranMs + 50 * runs,
        waitedMs: sample.waitedMs + 50 * waits,
      };
      appetite.add(sample);
    }
  }
  return appetite;
}

describe("the estimate of a runner's use of the processor", () => {
  test("finds one that never rests within 250 ms, and forgives it when it has rested", () => {
    const appetite = new CpuAppetite(START, GOOD);
    expect(live(appetite, [{ ms: 250, runs: 1 }]).isHog).toBe(true);
    const rested = new CpuAppetite(START, GOOD);
    expect(
      live(rested, [
        { ms: 1_000, runs: 1 },
        { ms: 500, runs: 0.2 },
      ]).isHog,
    ).toBe(true);
    const forgiven = new CpuAppetite(START, GOOD);
    expect(
      live(forgiven, [
        { ms: 1_000, runs: 1 },
        { ms: 2_500, runs: 0.2 },
      ]).isHog,
    ).toBe(false);
  });

  test("finds one that never rests though others leave it a tenth of a processor", () => {
    expect(live(new CpuAppetite(START, GOOD), [{ ms: 3_000, runs: 0.1, waits: 0.9 }]).isHog).toBe(true);
  });

  test("does not blame one that rests for what it waits", () => {
    expect(live(new CpuAppetite(START, GOOD), [{ ms: 5_000, runs: 0.2, waits: 0.6 }]).isHog).toBe(false);
    expect(live(new CpuAppetite(START, GOOD), [{ ms: 5_000, runs: 0.8 }]).isHog).toBe(false);
  });

  test("is slower to judge where a judgement is final", () => {
    const final = { isSuspect: false, isFinal: true };
    expect(live(new CpuAppetite(START, final), [{ ms: 1_000, runs: 1 }]).isHog).toBe(false);
    expect(live(new CpuAppetite(START, final), [{ ms: 3_000, runs: 1 }]).isHog).toBe(true);
  });

  test("begins with suspicion where processes before it failed", () => {
    expect(new CpuAppetite(START, { isSuspect: true, isFinal: false }).isHog).toBe(true);
  });

  test("waits with a look that came while the process waited for a processor", () => {
    const appetite = new CpuAppetite(START, GOOD);
    appetite.add({ atMs: 50, ranMs: 0.1, waitedMs: 49.9 });
    expect(appetite.isHog).toBe(false);
  });
});

const MAX_NICE = 19;

describe.runIf(process.platform === "linux")("the watch on a runner's use of the processor", () => {
  test("puts a process that computes behind others, and leaves one that sleeps where it is", async () => {
    const [spinner, sleeper] = [start("for (;;);"), start("setInterval(() => {}, 1_000)")];
    const watches = [spinner, sleeper].map((child) => {
      const watch = new CpuWatch({ pid: pidOf(child), isSuspect: false, isBusy: () => true, isStarting: () => false });
      watch.wake();
      return watch;
    });
    try {
      await until(() => lowered(spinner) === 15, { what: "the spinner is low" });
      await until(() => lowered(sleeper) === 0, { what: "the sleeper is as it was" });
    } finally {
      for (const watch of watches) watch.close();
      await Promise.all([spinner, sleeper].map(end));
    }
  });

  test.runIf(existsSync("/proc/self/autogroup"))("puts its session behind others, too", async () => {
    const child = start("for (;;);");
    const watch = new CpuWatch({ pid: pidOf(child), isSuspect: true, isBusy: () => true, isStarting: () => false });
    try {
      expect(readFileSync(`/proc/${pidOf(child)}/autogroup`, "utf8")).toMatch(/ nice 15\n$/);
    } finally {
      watch.close();
      await end(child);
    }
  });

  test("begins low for a suspect", async () => {
    const child = start("setInterval(() => {}, 1_000)");
    const watch = new CpuWatch({ pid: pidOf(child), isSuspect: true, isBusy: () => false, isStarting: () => false });
    try {
      expect(lowered(child)).toBe(15);
    } finally {
      watch.close();
      await end(child);
    }
  });

  test("leaves a suspect enough to start with, and no longer than that", async () => {
    let isStarting = true;
    const child = start("for (;;);");
    const watch = new CpuWatch({
      pid: pidOf(child),
      isSuspect: true,
      isBusy: () => true,
      isStarting: () => isStarting,
    });
    try {
      expect(lowered(child)).toBe(5);
      isStarting = false;
      watch.wake();
      await until(() => lowered(child) === 15, { what: "it is low" });
    } finally {
      watch.close();
      await end(child);
    }
  });

  test("outlives its process, and is closed twice without harm", async () => {
    const child = start("");
    const watch = new CpuWatch({ pid: pidOf(child), isSuspect: false, isBusy: () => true, isStarting: () => false });
    watch.wake();
    await end(child);
    watch.close();
    watch.close();
    watch.wake();
  });
});

/** In a session of its own, as runners are: what is done to a session is done to all of its processes. */
function start(program: string): ChildProcess {
  return spawn(process.execPath, ["-e", program], { stdio: "ignore", detached: true });
}

/** By how much its priority is lower than ours, as far as there is lower. */
function lowered(child: ChildProcess): number {
  const nice = getPriority(pidOf(child)) - getPriority();
  return getPriority(pidOf(child)) === MAX_NICE ? Math.max(nice, 15) : nice;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("the process could not be started");
  return pid;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
