import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Watchdog, type WatchdogOptions } from "../../../../src/supervisor/process/watchdog.ts";

const TIMEOUT_MS = 200;
const SILENT_MS = 1_000;
const LATE_MS = 25;

describe("a watchdog", () => {
  let expired = 0;
  let verdict: string | undefined;
  let watchdog: Watchdog;

  function watch(options: Partial<WatchdogOptions> = {}): Watchdog {
    return new Watchdog({
      timeoutMs: TIMEOUT_MS,
      silentMs: SILENT_MS,
      lateMs: LATE_MS,
      expired: (why) => {
        expired += 1;
        verdict = why;
        watchdog.stop();
      },
      ...options,
    });
  }

  beforeEach(() => {
    vi.useFakeTimers();
    expired = 0;
    watchdog = watch();
  });

  afterEach(() => {
    watchdog.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test("barks when an answer does not come in time", () => {
    watchdog.expect(() => undefined);
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(expired).toBe(0);
    vi.advanceTimersByTime(2);
    expect(expired).toBe(1);
  });

  test("is content with an answer, and tells who asked", () => {
    let answered = 0;
    const nonce = watchdog.expect(() => void (answered += 1));
    expect(watchdog.isOwed).toBe(true);
    expect(watchdog.answer(nonce)).toBe(true);
    vi.advanceTimersByTime(TIMEOUT_MS * 2);
    expect([expired, answered, watchdog.isOwed]).toEqual([0, 1, false]);
  });

  test("gives each question its own time", () => {
    const first = watchdog.expect(() => undefined);
    vi.advanceTimersByTime(150);
    watchdog.expect(() => undefined);
    watchdog.answer(first);
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(expired).toBe(0);
    vi.advanceTimersByTime(2);
    expect(expired).toBe(1);
  });

  test("waits for an answer that has arrived behind other things, until those are taken and a little longer", () => {
    let isBehind = true;
    watchdog = watch({ isBehind: () => isBehind });
    const nonce = watchdog.expect(() => undefined);
    vi.advanceTimersByTime(TIMEOUT_MS + 100);
    expect(expired).toBe(0);
    expect(watchdog.answer(nonce)).toBe(true);
    watchdog.expect(() => undefined);
    vi.advanceTimersByTime(TIMEOUT_MS + 100);
    expect(expired).toBe(0);
    isBehind = false;
    vi.advanceTimersByTime(40);
    expect(expired).toBe(0);
    vi.advanceTimersByTime(20);
    expect(expired).toBe(1);
  });

  test("does not wait for ever for one who keeps the host behind", () => {
    watchdog = watch({ isBehind: () => true });
    watchdog.expect(() => undefined);
    vi.advanceTimersByTime(TIMEOUT_MS + 1_010);
    expect(expired).toBe(1);
  });

  test("tells of an answer that is late, before it is overdue, and when it has come", () => {
    const changes: boolean[] = [];
    watchdog = watch({ latenessChanged: (isLate) => changes.push(isLate) });
    const [first, second] = [watchdog.expect(() => undefined, 1_000), watchdog.expect(() => undefined, Infinity)];
    vi.advanceTimersByTime(LATE_MS - 1);
    expect(changes).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(changes).toEqual([true]);
    watchdog.answer(first);
    expect(changes).toEqual([true]);
    watchdog.answer(second);
    expect(changes).toEqual([true, false]);
    watchdog.expect(() => undefined, Infinity);
    vi.advanceTimersByTime(60_000);
    expect([changes.length, expired]).toEqual([3, 0]);
  });

  test("takes no answer but the one that is owed next", () => {
    const first = watchdog.expect(() => undefined);
    const second = watchdog.expect(() => undefined);
    expect(watchdog.answer(second)).toBe(false);
    expect(watchdog.answer(first)).toBe(true);
    expect(watchdog.answer(first)).toBe(false);
    expect(watchdog.answer(second)).toBe(true);
    expect(watchdog.answer(second)).toBe(false);
  });

  test("takes an answer that arrived while the host itself was late", () => {
    const nonce = watchdog.expect(() => undefined);
    // The timer fires first, then what has arrived is read, then the verdict falls.
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(expired).toBe(0);
    expect(watchdog.answer(nonce)).toBe(true);
    vi.advanceTimersByTime(1);
    expect(expired).toBe(0);
  });

  describe("of a host that stalled past the time", () => {
    let stillMs = 0;

    beforeEach(() => {
      stillMs = 0;
      const now = performance.now.bind(performance);
      vi.spyOn(performance, "now").mockImplementation(() => now() + stillMs);
    });

    afterEach(() => void vi.restoreAllMocks());

    test("gives the answer its time once more, since the other process stalled as well", () => {
      const nonce = watchdog.expect(() => undefined);
      vi.advanceTimersByTime(LATE_MS + 1);
      stillMs = 3_000;
      vi.advanceTimersByTime(TIMEOUT_MS * 2 - LATE_MS - 2);
      expect(expired).toBe(0);
      expect(watchdog.answer(nonce)).toBe(true);
      vi.advanceTimersByTime(TIMEOUT_MS * 2);
      expect(expired).toBe(0);
    });

    test("gives it no second time", () => {
      watchdog.expect(() => undefined);
      vi.advanceTimersByTime(LATE_MS + 1);
      stillMs = 3_000;
      vi.advanceTimersByTime(TIMEOUT_MS * 2 - LATE_MS - 2);
      stillMs = 6_000;
      vi.advanceTimersByTime(2);
      expect(expired).toBe(1);
    });

    test("gives none where it was hardly late", () => {
      watchdog.expect(() => undefined);
      stillMs = 90;
      vi.advanceTimersByTime(TIMEOUT_MS + 1);
      expect(expired).toBe(1);
    });
  });

  describe("that is told of the runner's time on a processor", () => {
    let ranMs = 0;

    /** Lets time pass in which the runner has a part of a processor. */
    function pass(ms: number, share: number): void {
      for (let passed = 0; passed < ms; passed += 1) {
        ranMs += share;
        vi.advanceTimersByTime(1);
      }
    }

    beforeEach(() => {
      ranMs = 5_000;
      watchdog = watch({ ranMs: () => ranMs });
    });

    test("barks at one that computed for all of its time", () => {
      watchdog.expect(() => undefined);
      pass(TIMEOUT_MS - 1, 1);
      expect(expired).toBe(0);
      pass(2, 1);
      expect([expired, verdict]).toEqual([1, "computing"]);
    });

    test("waits for one that others keep from the processor until it has had its time", () => {
      const nonce = watchdog.expect(() => undefined);
      pass(TIMEOUT_MS * 3, 0.1);
      expect([expired, watchdog.isOverdue]).toEqual([0, true]);
      expect(watchdog.answer(nonce)).toBe(true);
      expect(watchdog.isOverdue).toBe(false);
      watchdog.expect(() => undefined);
      pass(TIMEOUT_MS * 2 - 50, 0.5);
      expect(expired).toBe(0);
      pass(100, 0.5);
      expect([expired, verdict]).toEqual([1, "computing"]);
    });

    test("counts it from when the guest may compute no longer", () => {
      watchdog.expect(() => undefined, 1_000);
      pass(1_000, 1);
      pass(TIMEOUT_MS, 0.1);
      expect(expired).toBe(0);
      pass(TIMEOUT_MS, 1);
      expect([expired, verdict]).toEqual([1, "computing"]);
    });

    test("does not wait for ever for a runner that gets no processor", () => {
      watchdog.expect(() => undefined);
      pass(TIMEOUT_MS + SILENT_MS - 10, 0);
      expect(expired).toBe(0);
      pass(TIMEOUT_MS + 20, 0);
      expect([expired, verdict]).toEqual([1, "silent"]);
    });
  });
});
