import { describe, expect, test } from "vitest";
import { type AppetiteSample, CpuAppetite } from "../../../../src/supervisor/process/cpu-appetite.ts";

const LOOK_MS = 50;
const START: AppetiteSample = { atMs: 0, ranMs: 0, waitedMs: 0, makingMs: 0, isAsleep: false };
const GOOD = { isSuspect: false, isFinal: false };

interface Span {
  readonly ms: number;
  readonly runs: number;
  readonly waits?: number;
  /** The part of `runs` that is for the making of instances. */
  readonly makes?: number;
}

/** A process's life in looks of 50 ms; each span says for how much of it the process runs and waits. */
class Life {
  readonly appetite: CpuAppetite;
  #sample = START;

  constructor(options = GOOD) {
    this.appetite = new CpuAppetite(START, options);
  }

  /** The end of its start. */
  started(): this {
    this.appetite.started(this.#sample);
    return this;
  }

  live(...spans: readonly Span[]): CpuAppetite {
    for (const { ms, runs, waits = 0, makes = 0 } of spans) {
      for (let passed = 0; passed < ms; passed += LOOK_MS) {
        this.#sample = {
          atMs: this.#sample.atMs + LOOK_MS,
          ranMs: this.#sample.ranMs + LOOK_MS * runs,
          waitedMs: this.#sample.waitedMs + LOOK_MS * waits,
          makingMs: this.#sample.makingMs + LOOK_MS * makes,
          isAsleep: runs + waits < 1,
        };
        this.appetite.add(this.#sample);
      }
    }
    return this.appetite;
  }
}

/** A life of these spans from its start. */
function live(...spans: readonly Span[]): CpuAppetite {
  return new Life().live(...spans);
}

describe("the estimate of a runner's use of the processor", () => {
  test("finds one that never rests within 250 ms, and forgives it when it has rested", () => {
    expect(live({ ms: 250, runs: 1 }).isHog).toBe(true);
    expect(live({ ms: 1_000, runs: 1 }, { ms: 500, runs: 0.2 }).isHog).toBe(true);
    expect(live({ ms: 1_000, runs: 1 }, { ms: 2_500, runs: 0.2 }).isHog).toBe(false);
  });

  test("finds one that never rests though others leave it a tenth of a processor", () => {
    expect(live({ ms: 3_000, runs: 0.1, waits: 0.9 }).isHog).toBe(true);
  });

  test("does not blame one that rests for what it waits", () => {
    expect(live({ ms: 5_000, runs: 0.2, waits: 0.6 }).isHog).toBe(false);
    expect(live({ ms: 5_000, runs: 0.8 }).isHog).toBe(false);
  });

  test("does not blame a plugin for the instances that are made for its requests", () => {
    expect(live({ ms: 5_000, runs: 0.98, makes: 0.7 }).isHog).toBe(false);
    expect(live({ ms: 5_000, runs: 0.2, waits: 0.8, makes: 0.17 }).isHog).toBe(false);
    expect(live({ ms: 5_000, runs: 1, makes: 0.05 }).isHog).toBe(true);
  });

  test("does not blame a plugin for its start, however long that computed", () => {
    const life = new Life();
    expect(life.live({ ms: 1_000, runs: 1 }).isHog).toBe(true);
    expect(life.started().appetite.isHog).toBe(false);
    expect(life.live({ ms: 100, runs: 1 }, { ms: 5_000, runs: 0.8 }).isHog).toBe(false);
    expect(life.live({ ms: 1_000, runs: 1 }).isHog).toBe(true);
  });

  test("keeps a suspicion over the start, and a judgement that is final", () => {
    const suspect = new Life({ isSuspect: true, isFinal: false });
    suspect.live({ ms: 200, runs: 1 });
    expect(suspect.started().appetite.isHog).toBe(true);
    const final = new Life({ isSuspect: false, isFinal: true });
    final.live({ ms: 3_000, runs: 1 });
    expect(final.started().appetite.isHog).toBe(true);
  });

  test("is slower to judge where a judgement is final", () => {
    const final = { isSuspect: false, isFinal: true };
    expect(new Life(final).live({ ms: 1_000, runs: 1 }).isHog).toBe(false);
    expect(new Life(final).live({ ms: 3_000, runs: 1 }).isHog).toBe(true);
  });

  test("begins with suspicion where processes before it failed", () => {
    expect(new CpuAppetite(START, { isSuspect: true, isFinal: false }).isHog).toBe(true);
  });

  test("waits with a look that came while the process waited for a processor", () => {
    const appetite = new CpuAppetite(START, GOOD);
    appetite.add({ ...START, atMs: 50, ranMs: 0.1, waitedMs: 49.9 });
    expect(appetite.isHog).toBe(false);
  });

  test("does not take a wait that is not over for a pause", () => {
    const life = new Life();
    life.live({ ms: 500, runs: 1 });
    // As the kernel tells of it: nothing, until the wait is over.
    for (let looks = 1; looks <= 100; looks += 1) {
      life.appetite.add({ ...START, atMs: 500 + looks * LOOK_MS, ranMs: 500, isAsleep: false });
    }
    expect(life.appetite.isHog).toBe(true);
  });
});

describe("a runner that is held back on a busy machine", () => {
  const STARVED = { ms: 600, runs: 0.03, waits: 0.97 };

  test("is let go on trial, and forgiven where it rests then", () => {
    const life = new Life();
    expect(life.live({ ms: 300, runs: 1 }).isHeldBack).toBe(true);
    expect(life.live(STARVED).isHeldBack).toBe(false);
    expect(life.appetite.isHog).toBe(true);
    expect(life.live({ ms: 300, runs: 0.4, waits: 0.3 }).isHog).toBe(false);
    expect(life.appetite.isHeldBack).toBe(false);
  });

  test("is held back again where it does not rest, and waits for longer until its next trial", () => {
    const life = new Life();
    life.live({ ms: 300, runs: 1 }, STARVED);
    expect(life.live({ ms: 200, runs: 1 }).isHeldBack).toBe(true);
    expect(life.live(STARVED).isHeldBack).toBe(true);
    expect(life.live(STARVED).isHeldBack).toBe(false);
    expect(life.live({ ms: 200, runs: 1 }).isHeldBack).toBe(true);
    expect(life.live(STARVED, STARVED).isHeldBack).toBe(true);
  });

  test("has no trial where what is lowered cannot be raised", () => {
    const life = new Life({ isSuspect: true, isFinal: true });
    expect(life.live(STARVED, STARVED, STARVED).isHeldBack).toBe(true);
  });

  test("has no trial while nobody keeps it from the processor", () => {
    expect(live({ ms: 10_000, runs: 1 }).isHeldBack).toBe(true);
  });
});
