import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DeadlineTimer } from "../../../src/scheduling/deadline-timer.ts";

const MODULE = fileURLToPath(new URL("../../../src/scheduling/deadline-timer.ts", import.meta.url));

describe("one timer for many deadlines", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  /** Deadlines by their names, as they were met, and when. */
  function stage(): { timer: DeadlineTimer; met: [string, number][]; meet: (name: string) => () => void } {
    const met: [string, number][] = [];
    return { timer: new DeadlineTimer(), met, meet: (name) => () => void met.push([name, performance.now()]) };
  }

  test("meets each in its time, whatever the order they come in", () => {
    const { timer, met, meet } = stage();
    timer.add(performance.now() + 300, meet("late"));
    timer.add(performance.now() + 10, meet("soon"));
    timer.add(performance.now() + 2_000, meet("last"));
    const startMs = performance.now();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5_000);
    expect(met.map(([name]) => name)).toEqual(["soon", "late", "last"]);
    for (const [index, dueMs] of [10, 300, 2_000].entries()) {
      const tookMs = (met[index]?.[1] ?? 0) - startMs;
      expect(tookMs).toBeGreaterThanOrEqual(dueMs);
      expect(tookMs).toBeLessThanOrEqual(dueMs + 2);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test("meets none that was taken back, and ends when none is left", () => {
    const { timer, met, meet } = stage();
    const first = timer.add(performance.now() + 10, meet("first"));
    const second = timer.add(performance.now() + 20, meet("second"));
    timer.cancel(first);
    vi.advanceTimersByTime(100);
    expect(met.map(([name]) => name)).toEqual(["second"]);
    timer.cancel(second);
    expect(vi.getTimerCount()).toBe(0);
    timer.add(performance.now() + 10, meet("third"));
    vi.advanceTimersByTime(100);
    expect(met.map(([name]) => name)).toEqual(["second", "third"]);
  });

  test("sets no timer of its own for each: as many come and go as there may", () => {
    const { timer, meet } = stage();
    const set = vi.spyOn(globalThis, "setTimeout");
    try {
      for (let call = 0; call < 1_000; call += 1) {
        timer.cancel(timer.add(performance.now() + 2_000, meet("never")));
        vi.advanceTimersByTime(1);
      }
      expect(set).toHaveBeenCalledTimes(1);
    } finally {
      set.mockRestore();
    }
  });

  test("takes what is asked for while deadlines are met", () => {
    const { timer, met, meet } = stage();
    timer.add(performance.now() + 5, () => {
      meet("first")();
      timer.add(performance.now(), meet("at once"));
      timer.add(performance.now() + 50, meet("later"));
    });
    vi.advanceTimersByTime(200);
    expect(met.map(([name]) => name)).toEqual(["first", "at once", "later"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("the process goes on for as long as a deadline is ahead, and no longer", () => {
  const program = `
    import { DeadlineTimer } from ${JSON.stringify(MODULE)};
    const timer = new DeadlineTimer();
    const ahead = (ms, met) => timer.add(performance.now() + ms, met);
    // The timer is set for the first one, and must go on for the second one.
    timer.cancel(ahead(60, () => console.log("never")));
    ahead(100, () => {
      console.log("met");
      setImmediate(() => timer.cancel(ahead(600_000, () => undefined)));
    });
  `;
  const options = { encoding: "utf8", timeout: 60_000, stdio: "pipe" } as const;
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", program], options)).toBe("met\n");
});
