import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Watchdog } from "../../../../src/supervisor/process/watchdog.ts";

const TIMEOUT_MS = 200;

describe("a watchdog", () => {
  let expired = 0;
  let watchdog: Watchdog;

  beforeEach(() => {
    vi.useFakeTimers();
    expired = 0;
    watchdog = new Watchdog(TIMEOUT_MS, () => void (expired += 1));
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
    watchdog = new Watchdog(
      TIMEOUT_MS,
      () => void (expired += 1),
      () => isBehind,
    );
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
    watchdog = new Watchdog(
      TIMEOUT_MS,
      () => void (expired += 1),
      () => true,
    );
    watchdog.expect(() => undefined);
    vi.advanceTimersByTime(TIMEOUT_MS + 1_010);
    expect(expired).toBe(1);
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

  describe("of a host that stood still past the time", () => {
    let stillMs = 0;

    beforeEach(() => {
      stillMs = 0;
      const now = performance.now.bind(performance);
      vi.spyOn(performance, "now").mockImplementation(() => now() + stillMs);
    });

    afterEach(() => void vi.restoreAllMocks());

    test("gives the answer its time once more, since the other process stood still as well", () => {
      const nonce = watchdog.expect(() => undefined);
      stillMs = 3_000;
      vi.advanceTimersByTime(TIMEOUT_MS * 2 - 1);
      expect(expired).toBe(0);
      expect(watchdog.answer(nonce)).toBe(true);
      vi.advanceTimersByTime(TIMEOUT_MS * 2);
      expect(expired).toBe(0);
    });

    test("gives it no second time", () => {
      watchdog.expect(() => undefined);
      stillMs = 3_000;
      vi.advanceTimersByTime(TIMEOUT_MS * 2 - 1);
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
});
