import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AccessLevelBits } from "../../../../src/contract/access-levels.ts";
import { HostError } from "../../../../src/errors/host-error.ts";
import { PluginRunner } from "../../../../src/supervisor/process-pool/plugin-runner.ts";
import type { PluginRunnerEvents } from "../../../../src/supervisor/process-pool/plugin-runner-events.ts";
import type { RunnerStart } from "../../../../src/supervisor/process-pool/plugin-runner-state.ts";
import type { CpuSample, Runner, RunnerExit } from "../../../../src/supervisor/process/runner.ts";
import type { SizeBounds } from "../../../../src/supervisor/process-pool/runner-size.ts";

/** A process that does what it is told. */
class FakeProcess implements Runner {
  isReady = true;
  isQuiet = true;
  closed = false;
  callsInFlight = 0;
  callsBegun = 0;
  isHog = false;
  isLate = false;
  callsUnbegun = 0;
  recalls = 0;
  #latenessChanged: (() => void) | undefined;
  levels: AccessLevelBits = 0;
  /** Shares of the time since the last look. */
  computes = 0;
  #ranMs = 0;
  #sampledMs = performance.now();
  readonly #unused = Promise.withResolvers<void>();
  readonly #proven = Promise.withResolvers<void>();
  readonly #exit = Promise.withResolvers<RunnerExit>();

  get exited(): Promise<RunnerExit> {
    return this.#exit.promise;
  }

  get proven(): Promise<void> {
    return this.#proven.promise;
  }

  probe(): Promise<AccessLevelBits> {
    return Promise.resolve(this.levels);
  }

  watchLateness(changed: () => void): void {
    this.#latenessChanged = changed;
  }

  recall(): void {
    this.recalls += 1;
    this.callsUnbegun = 0;
  }

  /** Its guest computes and keeps it from answering, or does so no longer. */
  becomeLate(isLate: boolean): void {
    this.isLate = isLate;
    this.#latenessChanged?.();
  }

  begin(): number {
    this.callsBegun += 1;
    this.callsInFlight += 1;
    return this.callsBegun;
  }

  cancel(): void {
    this.callsInFlight -= 1;
  }

  cpuSample(): CpuSample {
    const atMs = performance.now();
    this.#ranMs += this.computes * (atMs - this.#sampledMs);
    this.#sampledMs = atMs;
    return { atMs, ranMs: this.#ranMs, waitedMs: 0 };
  }

  async drain(): Promise<void> {
    if (this.callsInFlight > 0) await this.#unused.promise;
    await this.close();
  }

  /** Ends all requests. */
  finish(): void {
    this.callsInFlight = 0;
    this.#unused.resolve();
  }

  /** Ends a request and goes on living. */
  survive(): void {
    this.isQuiet = true;
    this.#proven.resolve();
  }

  die({ wasHog = false } = {}): void {
    this.isReady = false;
    this.#exit.resolve({ reason: "it died", stderr: "", expected: false, wasHog });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#unused.resolve();
    this.die();
  }
}

interface Kept {
  readonly runner: PluginRunner;
  readonly processes: FakeProcess[];
  readonly starts: RunnerStart[];
  readonly delays: number[];
  readonly events: string[];
  readonly running: { readonly count: number };
}

function keep(failures: ReadonlySet<number> = new Set(), bounds?: SizeBounds): Kept {
  const processes: FakeProcess[] = [];
  const delays: number[] = [];
  const events: string[] = [];
  const running = { count: 0 };
  const listener: PluginRunnerEvents = {
    started: (reason) => void (reason === "load" || events.push(`started ${reason}`)),
    counted: (change) => void (running.count += change),
    stopped: (reason) => void events.push(`stopped ${reason}`),
    ended: (_exit, delayMs) => void (events.push("ended"), delays.push(delayMs ?? Number.NaN)),
    startFailed: (_error, delayMs) => void (events.push("failed"), delays.push(delayMs ?? Number.NaN)),
    restarted: () => void events.push("restarted"),
    circuitOpened: (failures, delayMs) => void events.push(`opened ${failures} ${delayMs}`),
    circuitClosed: () => void events.push("closed"),
  };
  const starts: RunnerStart[] = [];
  const start = async (how: RunnerStart): Promise<Runner> => {
    starts.push(how);
    if (failures.has(starts.length)) throw new HostError("load-failed");
    const process = new FakeProcess();
    processes.push(process);
    return process;
  };
  return { runner: new PluginRunner(start, listener, bounds), processes, starts, delays, events, running };
}

describe("a plugin's runner", () => {
  test("is offered once it is open", async () => {
    const { runner, processes } = keep();
    const opening = runner.open();
    expect(runner.acquire()).toEqual({ retryAfterMs: 250, reason: "the plugin's runner is being restarted" });
    await opening;
    expect(runner.acquire()).toBe(processes[0]);
    await runner.close();
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

  test("is under suspicion where the one before it hardly rested", async () => {
    vi.useFakeTimers();
    try {
      const { runner, processes, starts } = keep();
      await runner.open();
      await vi.advanceTimersByTimeAsync(10_000);
      processes.at(-1)?.die({ wasHog: true });
      await vi.advanceTimersByTimeAsync(0);
      await vi.advanceTimersByTimeAsync(10_000);
      processes.at(-1)?.die({ wasHog: false });
      await vi.advanceTimersByTimeAsync(0);
      expect(starts.map(({ isSuspect }) => isSuspect)).toEqual([false, true, false]);
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
        expect(runner.acquire()).not.toBe(processes.at(-1));
        await vi.advanceTimersByTimeAsync(0);
        await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
        expect(runner.acquire()).toBe(processes.at(-1));
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
      expect(runner.acquire()).toBe(processes[1]);
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
    expect(runner.acquire()).toHaveProperty("retryAfterMs");
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
    expect(runner.acquire()).toBeInstanceOf(Promise);
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
    expect(runner.acquire()).toBeDefined();
  }

  test("opens at the fifth end in a row: nothing is started, and callers are told when to come again", async () => {
    const { runner, processes, events } = await keepBroken();
    expect(events.at(-1)).toBe("opened 5 800");
    expect(runner.acquire()).toEqual({ retryAfterMs: 800 + 250, reason: expect.stringContaining("circuit is open") });
    await vi.advanceTimersByTimeAsync(799);
    expect(processes).toHaveLength(5);
    expect(runner.acquire()).toMatchObject({ retryAfterMs: 251 });
    await runner.close();
  });

  test("lets one request at a time through when it is half-open", async () => {
    const { runner, processes } = await keepBroken();
    await vi.advanceTimersByTimeAsync(800);
    const [process] = processes.slice(-1);
    expect(runner.acquire()).toBe(process);
    if (process !== undefined) process.isQuiet = false;
    expect(runner.acquire()).toEqual({ retryAfterMs: 250, reason: expect.stringContaining("half-open") });
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
    expect(runner.acquire()).toBe(process);
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

describe("a cold plugin", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("has no process, and one for all the requests that come while it starts", async () => {
    const { runner, processes, starts, events } = keep();
    expect([starts.length, runner.isWarm]).toEqual([0, false]);
    const offered = [runner.acquire(), runner.acquire(), runner.acquire()];
    expect(runner.isWarm).toBe(true);
    for (const process of offered) expect(await process).toBe(processes[0]);
    expect([starts.length, events]).toEqual([1, ["started request"]]);
    await runner.close();
  });

  test("whose start fails tells those who wait, and backs off as after any other failure", async () => {
    const { runner, processes, delays, events } = keep(new Set([1, 2]));
    expect(await runner.acquire()).toEqual({ retryAfterMs: 250, reason: expect.stringContaining("cannot be started") });
    expect(events).toEqual(["failed"]);
    expect(await runner.acquire()).toHaveProperty("retryAfterMs");
    expect(runner.acquire()).toHaveProperty("retryAfterMs");
    await vi.advanceTimersByTimeAsync(100);
    expect([delays, events.at(-1)]).toEqual([[0, 100], "restarted"]);
    expect(runner.acquire()).toBe(processes[0]);
    await runner.close();
  });

  test("that is closed while requests wait for its start leaves no process behind", async () => {
    const { runner, processes, starts, running } = keep();
    const offered = runner.acquire();
    await runner.close();
    expect(starts[0]?.signal.aborted).toBe(true);
    expect(await offered).toHaveProperty("retryAfterMs");
    await vi.advanceTimersByTimeAsync(0);
    expect([processes[0]?.closed, running.count, vi.getTimerCount()]).toEqual([true, 0, 0]);
  });

  test("it becomes when it was idle for long enough, however often it was asked before", async () => {
    const { runner, processes, events, running } = keep(new Set(), { runners: 1, idleMs: 1_000 });
    await runner.acquire();
    const [first] = processes;
    for (let round = 0; round < 5; round++) {
      await vi.advanceTimersByTimeAsync(900);
      if (first !== undefined) first.callsBegun += 1;
    }
    if (first !== undefined) first.callsInFlight = 1;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(first?.closed).toBe(false);
    if (first !== undefined) first.callsInFlight = 0;
    await vi.advanceTimersByTimeAsync(1_250);
    expect([first?.closed, running.count, events.at(-1), vi.getTimerCount()]).toEqual([true, 0, "stopped idle", 0]);
    expect(await runner.acquire()).toBe(processes[1]);
    await runner.close();
  });

  test("whose circuit was open when it became idle lets one request through on trial", async () => {
    const kept = keep(new Set(), { runners: 1, idleMs: 1_000 });
    const { runner, processes, delays } = kept;
    await runner.open();
    for (let failure = 1; failure <= 5; failure++) {
      processes.at(-1)?.die();
      await vi.advanceTimersByTimeAsync(0);
      await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
    }
    await vi.advanceTimersByTimeAsync(1_250);
    expect(kept.events.at(-1)).toBe("stopped idle");
    const trial = runner.acquire();
    expect(trial).toBeInstanceOf(Promise);
    expect(runner.acquire()).toHaveProperty("retryAfterMs");
    expect(await trial).toBe(processes[6]);
    processes[6]?.die();
    await vi.advanceTimersByTimeAsync(0);
    expect(kept.events.at(-1)).toBe("opened 6 1600");
    await runner.close();
  });
});

describe("a plugin that computes", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Keeps processes busy: each with its calls, computing for a share of the time. */
  function load(processes: readonly FakeProcess[], computes: number, calls = 8): void {
    for (const process of processes) Object.assign(process, { computes, callsInFlight: calls });
  }

  async function opened(bounds: SizeBounds, failures?: ReadonlySet<number>): Promise<Kept> {
    const kept = keep(failures, bounds);
    await kept.runner.open();
    return kept;
  }

  test("without pausing gets further processes, up to its number", async () => {
    const { runner, processes, starts, events } = await opened({ runners: 3, idleMs: 60_000 });
    for (let looks = 0; looks < 40; looks++) {
      load(processes, 1);
      await vi.advanceTimersByTimeAsync(250);
    }
    expect(events).toEqual(["started busy", "started busy"]);
    expect(starts).toHaveLength(3);
    await runner.close();
    expect(processes.every(({ closed }) => closed)).toBe(true);
  });

  test.each([
    { what: "rests now and then", computes: 0.8, calls: 64, begun: 10 },
    { what: "has one call only", computes: 1, calls: 1, begun: 10 },
    { what: "spends no more on a call than the host does", computes: 1, calls: 64, begun: 2_500 },
  ])("and $what keeps its one process", async ({ computes, calls, begun }) => {
    const { runner, processes } = await opened({ runners: 3, idleMs: 60_000 });
    for (let looks = 0; looks < 40; looks++) {
      load(processes, computes, calls);
      for (const process of processes) process.callsBegun += begun;
      await vi.advanceTimersByTimeAsync(250);
    }
    expect(processes).toHaveLength(1);
    await runner.close();
  });

  test("gives a call to the process with the fewest, and to the oldest of equals", async () => {
    const { runner, processes } = await grown();
    const [first, second] = processes;
    load(processes, 1, 2);
    expect(runner.acquire()).toBe(first);
    if (first !== undefined) first.callsInFlight = 3;
    expect(runner.acquire()).toBe(second);
    if (second !== undefined) second.isReady = false;
    expect(runner.acquire()).toBe(first);
    await runner.close();
  });

  test("no more lets the youngest process go, once its calls are answered", async () => {
    const { runner, processes, events } = await grown();
    const [, second] = processes;
    load(processes, 0.3, 1);
    await vi.advanceTimersByTimeAsync(5_250);
    expect([second?.closed, events.at(-1)]).toEqual([false, "stopped surplus"]);
    expect(runner.acquire()).toBe(processes[0]);
    second?.finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(second?.closed).toBe(true);
    await runner.close();
  });

  test("goes on with the others when a process ends, and gets no new one for a while", async () => {
    const { runner, processes, events } = await grown();
    processes[0]?.die();
    await vi.advanceTimersByTimeAsync(0);
    expect(runner.acquire()).toBe(processes[1]);
    for (let looks = 0; looks < 30; looks++) {
      load(processes, 1);
      await vi.advanceTimersByTimeAsync(250);
    }
    expect(events).toEqual(["started busy", "ended"]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(processes).toHaveLength(3);
    await runner.close();
  });

  test("serves on where a further process cannot be started", async () => {
    const { runner, processes, events } = await opened({ runners: 2, idleMs: 60_000 }, new Set([2]));
    load(processes, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(events).toEqual(["failed"]);
    expect(runner.acquire()).toBe(processes[0]);
    await runner.close();
  });

  test("loses its processes all at once when nobody asks any more", async () => {
    const { runner, processes, events } = await grown(1_000);
    load(processes, 0, 0);
    await vi.advanceTimersByTimeAsync(1_500);
    expect([events.at(-1), processes.every(({ closed }) => closed)]).toEqual(["stopped idle", true]);
    await runner.close();
  });

  /** Two processes. */
  async function grown(idleMs = 60_000): Promise<Kept> {
    const kept = await opened({ runners: 2, idleMs });
    load(kept.processes, 1);
    await vi.advanceTimersByTimeAsync(500);
    expect(kept.processes).toHaveLength(2);
    return kept;
  }
});

describe("a process that owes a sign of life", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const TWO = { runners: 2, idleMs: 60_000 };
  const HELP_MS = 80;

  async function opened(bounds: SizeBounds): Promise<Kept & { first: FakeProcess }> {
    const kept = keep(new Set(), bounds);
    await kept.runner.open();
    const [first] = kept.processes;
    if (first === undefined) throw new Error("it was not started");
    return { ...kept, first };
  }

  test("gets no call until it has given it; the call waits", async () => {
    const { runner, first } = await opened({ runners: 1, idleMs: 60_000 });
    first.becomeLate(true);
    const waiting = runner.acquire();
    expect(waiting).toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(1_000);
    first.becomeLate(false);
    expect(await waiting).toBe(first);
    expect(runner.acquire()).toBe(first);
    await runner.close();
  });

  test("is helped by a further one, where it computes and the plugin may have one", async () => {
    const { runner, processes, first } = await opened(TWO);
    first.computes = 1;
    first.becomeLate(true);
    const waiting = runner.acquire();
    first.callsUnbegun = 3;
    await vi.advanceTimersByTimeAsync(HELP_MS);
    expect(processes).toHaveLength(2);
    expect(await waiting).toBe(processes[1]);
    expect(first.recalls).toBe(1);
    expect(runner.acquire()).toBe(processes[1]);
    await runner.close();
  });

  test("is helped by none for a second where one could not be started", async () => {
    const { runner, starts, processes } = keep(new Set([2, 3]), TWO);
    await runner.open();
    const [first] = processes;
    if (first === undefined) throw new Error("it was not started");
    first.computes = 1;
    first.becomeLate(true);
    const waiting = runner.acquire();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(starts).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(starts).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(await waiting).toBe(processes[1]);
    await runner.close();
  });

  test("lets those that wait have a new one where all were let go", async () => {
    const { runner, processes, first } = await opened({ runners: 1, idleMs: 1_000 });
    first.becomeLate(true);
    const waiting = runner.acquire();
    await vi.advanceTimersByTimeAsync(1_300);
    expect(first.closed).toBe(true);
    expect(await waiting).toBe(processes[1]);
    await runner.close();
  });

  test("is not helped where others keep it from the processor", async () => {
    const { runner, processes, first } = await opened(TWO);
    first.becomeLate(true);
    const waiting = runner.acquire();
    await vi.advanceTimersByTimeAsync(10 * HELP_MS);
    expect(processes).toHaveLength(1);
    first.becomeLate(false);
    expect(await waiting).toBe(first);
    await runner.close();
  });

  test("gives back what waits behind its guest where another one is free", async () => {
    const { runner, processes, first } = await opened(TWO);
    first.computes = 1;
    first.becomeLate(true);
    void runner.acquire();
    await vi.advanceTimersByTimeAsync(HELP_MS);
    first.becomeLate(false);
    first.callsUnbegun = 2;
    first.becomeLate(true);
    expect(first.recalls).toBe(2);
    expect(processes).toHaveLength(2);
    await runner.close();
  });

  test("and ends is replaced at once: what waited for it waits for the next one", async () => {
    const { runner, processes, first, delays } = await opened({ runners: 1, idleMs: 60_000 });
    first.becomeLate(true);
    const waiting = [runner.acquire(), runner.acquire()];
    first.die();
    for (const next of waiting) expect(await next).toBe(processes[1]);
    expect(delays).toEqual([0]);
    await runner.close();
  });

  test("lets nobody wait for ever: a plugin that is closed has no process", async () => {
    const { runner, first } = await opened({ runners: 1, idleMs: 60_000 });
    first.becomeLate(true);
    const waiting = runner.acquire();
    await runner.close();
    expect(await waiting).toHaveProperty("retryAfterMs");
  });
});
