import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { describe, expect, test } from "vitest";
import { CpuWatch } from "../../../../src/supervisor/process/cpu-watch.ts";
import { until } from "../../../../scripts/lib/until.ts";

const MAX_NICE = 19;

describe.runIf(process.platform === "linux")("the watch on a runner's use of the processor", () => {
  test("puts a process that computes behind others, and leaves one that sleeps where it is", async () => {
    const [spinner, sleeper] = [start("for (;;);"), start("setInterval(() => {}, 1_000)")];
    const watches = [spinner, sleeper].map((child) => {
      const watch = new CpuWatch({
        pid: pidOf(child),
        isSuspect: false,
        isBusy: () => true,
        isStarting: () => false,
        isOverdue: () => false,
        slept: () => undefined,
      });
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
    const watch = new CpuWatch({
      pid: pidOf(child),
      isSuspect: true,
      isBusy: () => true,
      isStarting: () => false,
      isOverdue: () => false,
      slept: () => undefined,
    });
    try {
      expect(readFileSync(`/proc/${pidOf(child)}/autogroup`, "utf8")).toMatch(/ nice 15\n$/);
    } finally {
      watch.close();
      await end(child);
    }
  });

  test("begins low for a suspect", async () => {
    const child = start("setInterval(() => {}, 1_000)");
    const watch = new CpuWatch({
      pid: pidOf(child),
      isSuspect: true,
      isBusy: () => false,
      isStarting: () => false,
      isOverdue: () => false,
      slept: () => undefined,
    });
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
      isOverdue: () => false,
      slept: () => undefined,
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

  test("raises one that is low while a sign of life of it is overdue, and no longer", async () => {
    let isOverdue = false;
    const child = start("for (;;);");
    const watch = new CpuWatch({
      pid: pidOf(child),
      isSuspect: true,
      isBusy: () => true,
      isStarting: () => false,
      isOverdue: () => isOverdue,
      slept: () => undefined,
    });
    watch.wake();
    try {
      expect(lowered(child)).toBe(15);
      isOverdue = true;
      await until(() => lowered(child) === 0, { what: "it is as it was" });
      isOverdue = false;
      await until(() => lowered(child) === 15, { what: "it is low again" });
    } finally {
      watch.close();
      await end(child);
    }
  });

  test("outlives its process, and is closed twice without harm", async () => {
    const child = start("");
    const watch = new CpuWatch({
      pid: pidOf(child),
      isSuspect: false,
      isBusy: () => true,
      isStarting: () => false,
      isOverdue: () => false,
      slept: () => undefined,
    });
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
