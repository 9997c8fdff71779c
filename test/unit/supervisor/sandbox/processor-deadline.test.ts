import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  ProcessorDeadline,
  type ProcessorDeadlineOptions,
} from "../../../../src/supervisor/sandbox/processor-deadline.ts";

describe("a time limit on a processor", () => {
  let ranMs: number | undefined = 0;
  let ends: string[] = [];
  let deadline: ProcessorDeadline;

  function begin(options: Partial<ProcessorDeadlineOptions> = {}): void {
    deadline = new ProcessorDeadline({
      timeoutMs: 1_000,
      ranMs: () => ranMs,
      expired: (how) => void ends.push(how),
      ...options,
    });
  }

  function pass(ms: number, share: number): void {
    for (let passed = 0; passed < ms; passed += 10) {
      if (ranMs !== undefined) ranMs += 10 * share;
      vi.advanceTimersByTime(10);
    }
  }

  beforeEach(() => {
    vi.useFakeTimers();
    [ranMs, ends] = [7_000, []];
  });

  afterEach(() => {
    deadline[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test("is over when it was used", () => {
    begin();
    pass(990, 1);
    expect(ends).toEqual([]);
    pass(10, 1);
    expect(ends).toEqual(["used"]);
  });

  test("is longer for one that gets half of a processor, as much as that", () => {
    begin();
    pass(1_940, 0.5);
    expect(ends).toEqual([]);
    pass(120, 0.5);
    expect(ends).toEqual(["used"]);
  });

  test("is over in the end for one that gets none", () => {
    begin();
    pass(2_990, 0.01);
    expect(ends).toEqual([]);
    pass(10, 0.01);
    expect(ends).toEqual(["starved"]);
  });

  test("counts the time that passes where nothing else is told", () => {
    ranMs = undefined;
    begin();
    pass(1_000, 0);
    expect(ends).toEqual(["used"]);
  });

  test("is nobody's any more once it is disposed of", () => {
    begin();
    deadline[Symbol.dispose]();
    pass(5_000, 1);
    expect(ends).toEqual([]);
  });
});
