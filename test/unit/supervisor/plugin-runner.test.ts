import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HostError } from "../../../src/errors/host-error.ts";
import { PluginRunner, type PluginRunnerEvents, type RunnerStart } from "../../../src/supervisor/plugin-runner.ts";
import type { RunnerExit, RunnerProcess } from "../../../src/supervisor/runner-process.ts";

/** The part of a runner process that its keeper sees. */
class FakeProcess {
  isReady = true;
  isQuiet = true;
  closed = false;
  readonly #proven = Promise.withResolvers<void>();
  readonly #exit = Promise.withResolvers<RunnerExit>();

  get exited(): Promise<RunnerExit> {
    return this.#exit.promise;
  }

  get proven(): Promise<void> {
    return this.#proven.promise;
  }

  /** Ends a request and goes on living. */
  survive(): void {
    this.isQuiet = true;
    this.#proven.resolve();
  }

  die(): void {
    this.isReady = false;
    this.#exit.resolve({ reason: "it died", stderr: "", expected: false });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.die();
  }
}

interface Kept {
  readonly runner: PluginRunner;
  readonly processes: FakeProcess[];
  readonly starts: RunnerStart[];
  readonly delays: number[];
  readonly events: string[];
}

function keep(failures: ReadonlySet<number> = new Set()): Kept {
  const processes: FakeProcess[] = [];
  const delays: number[] = [];
  const events: string[] = [];
  const listener: PluginRunnerEvents = {
    ended: (_exit, delayMs) => void (events.push("ended"), delays.push(delayMs)),
    restartFailed: (_error, delayMs) => void (events.push("failed"), delays.push(delayMs)),
    restarted: () => void events.push("restarted"),
    circuitOpened: (failures, delayMs) => void events.push(`opened ${failures} ${delayMs}`),
    circuitClosed: () => void events.push("closed"),
  };
  const starts: RunnerStart[] = [];
  const start = async (how: RunnerStart): Promise<RunnerProcess> => {
    starts.push(how);
    if (failures.has(starts.length)) throw new HostError("load-failed");
    const process = new FakeProcess();
    processes.push(process);
    return process as unknown as RunnerProcess;
  };
  return { runner: new PluginRunner(start, listener), processes, starts, delays, events };
}

describe("a plugin's runner", () => {
  test("is offered once it is open", async () => {
    const { runner, processes } = keep();
    expect(runner.current).toEqual({ retryAfterMs: 250, reason: "the plugin's runner is being restarted" });
    await runner.open();
    expect(runner.current).toBe(processes[0]);
  });

  test("throws what its first start threw, and does not try again", async () => {
    vi.useFakeTimers();
    try {
      const { runner, events } = keep(new Set([1]));
      await expect(runner.open()).rejects.toMatchObject({ code: "load-failed" });
      expect(vi.getTimerCount()).toBe(0);
      expect(events).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("is under suspicion from its second failure in a row, and no more when one was stable", async () => {
    vi.useFakeTimers();
    try {
      const { runner, processes, starts, delays } = keep();
      await runner.open();
      for (const livesMs of [0, 0, 0, 10_000, 0]) {
        await vi.advanceTimersByTimeAsync(livesMs);
        processes.at(-1)?.die();
        await vi.advanceTimersByTimeAsync(0);
        await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
      }
      expect(starts.map(({ isSuspect }) => isSuspect)).toEqual([false, false, true, true, false, true]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("is restarted at once after a first failure, later and later after failures in a row", async () => {
    vi.useFakeTimers();
    try {
      const { runner, processes, delays } = keep();
      await runner.open();
      for (let i = 0; i < 12; i++) {
        processes.at(-1)?.die();
        expect(runner.current).toHaveProperty("retryAfterMs");
        await vi.advanceTimersByTimeAsync(0);
        await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
        expect(runner.current).toBe(processes.at(-1));
      }
      expect(delays).toEqual([0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that lived for a while is restarted at once again", async () => {
    vi.useFakeTimers();
    try {
      const { runner, processes, delays } = keep();
      await runner.open();
      processes.at(-1)?.die();
      await vi.advanceTimersByTimeAsync(0);
      await vi.advanceTimersByTimeAsync(10_000);
      processes.at(-1)?.die();
      await vi.advanceTimersByTimeAsync(0);
      expect(delays).toEqual([0, 0]);
      await runner.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test("is tried again when a restart fails", async () => {
    vi.useFakeTimers();
    try {
      const { runner, processes, events, delays } = keep(new Set([2, 3]));
      await runner.open();
      processes[0]?.die();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(events).toEqual(["ended", "failed", "failed", "restarted"]);
      expect(delays).toEqual([0, 100, 200]);
      expect(runner.current).toBe(processes[1]);
      await runner.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test("that was closed stays closed, whatever it was doing", async () => {
    const { runner, processes, events } = keep();
    await runner.open();
    await runner.close();
    await runner.close();
    expect(processes[0]?.closed).toBe(true);
    expect(events).toEqual([]);
    expect(runner.current).toHaveProperty("retryAfterMs");
  });

  test("that is closed during its start leaves no process behind", async () => {
    const { runner, processes } = keep();
    const opening = runner.open();
    await runner.close();
    await opening;
    expect(processes[0]?.closed).toBe(true);
  });

  test("that has ended is not offered, even before its exit was seen", async () => {
    const { runner, processes } = keep();
    await runner.open();
    const [process] = processes;
    if (process !== undefined) process.isReady = false;
    expect(runner.current).toHaveProperty("retryAfterMs");
    await runner.close();
  });
});

describe("a plugin's circuit", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A runner whose circuit has just opened: it ended five times in a row. */
  async function keepBroken(): Promise<Kept> {
    const kept = keep();
    await kept.runner.open();
    for (let failure = 1; failure <= 5; failure++) await end(kept);
    return kept;
  }

  /** Ends the process and lets the back-off pass, unless the circuit is open. */
  async function end({ runner, processes, delays, events }: Kept): Promise<void> {
    processes.at(-1)?.die();
    await vi.advanceTimersByTimeAsync(0);
    if (!events.at(-1)?.startsWith("opened")) await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
    expect(runner.current).toBeDefined();
  }

  test("opens at the fifth end in a row: nothing is started, and callers are told when to come again", async () => {
    const { runner, processes, events } = await keepBroken();
    expect(events.at(-1)).toBe("opened 5 800");
    expect(runner.current).toEqual({ retryAfterMs: 800 + 250, reason: expect.stringContaining("circuit is open") });
    await vi.advanceTimersByTimeAsync(799);
    expect(processes).toHaveLength(5);
    expect(runner.current).toMatchObject({ retryAfterMs: 251 });
    await runner.close();
  });

  test("lets one request at a time through when it is half-open", async () => {
    const { runner, processes } = await keepBroken();
    await vi.advanceTimersByTimeAsync(800);
    const [process] = processes.slice(-1);
    expect(runner.current).toBe(process);
    if (process !== undefined) process.isQuiet = false;
    expect(runner.current).toEqual({ retryAfterMs: 250, reason: expect.stringContaining("half-open") });
    await runner.close();
    expect(process?.closed).toBe(true);
  });

  test("closes when the runner survives its trial", async () => {
    const { runner, processes, events } = await keepBroken();
    await vi.advanceTimersByTimeAsync(800);
    const [process] = processes.slice(-1);
    process?.survive();
    await vi.advanceTimersByTimeAsync(0);
    expect(events.at(-1)).toBe("closed");
    if (process !== undefined) process.isQuiet = false;
    expect(runner.current).toBe(process);
    await runner.close();
  });

  test("opens again, for longer, when the runner does not survive its trial", async () => {
    const kept = await keepBroken();
    await vi.advanceTimersByTimeAsync(800);
    await end(kept);
    expect(kept.events.at(-1)).toBe("opened 6 1600");
    await vi.advanceTimersByTimeAsync(1_600);
    await end(kept);
    expect(kept.events.at(-1)).toBe("opened 7 3200");
    await kept.runner.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("opens at the next early end after a trial, and needs five again after a longer life", async () => {
    const kept = await keepBroken();
    await vi.advanceTimersByTimeAsync(800);
    kept.processes.at(-1)?.survive();
    await vi.advanceTimersByTimeAsync(0);
    await end(kept);
    expect(kept.events.at(-1)).toBe("opened 5 800");
    await vi.advanceTimersByTimeAsync(800);
    kept.processes.at(-1)?.survive();
    await vi.advanceTimersByTimeAsync(10_000);
    await end(kept);
    expect(kept.events.slice(-2)).toEqual(["ended", "restarted"]);
    expect(kept.delays.at(-1)).toBe(0);
    await kept.runner.close();
  });

  test("stays open when the trial's process cannot be started", async () => {
    const kept = keep(new Set([6]));
    await kept.runner.open();
    for (let failure = 1; failure <= 5; failure++) await end(kept);
    await vi.advanceTimersByTimeAsync(800);
    expect(kept.events.slice(-2)).toEqual(["failed", "opened 6 1600"]);
    await kept.runner.close();
  });
});
