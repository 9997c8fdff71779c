import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ErrorCode } from "../../../src/errors/table.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { LoadRetries } from "../../../src/registry/load-retries.ts";
import type { PluginSlot, ReloadOutcome } from "../../../src/registry/plugin-slot.ts";

const SLOT = { name: "p" } as PluginSlot;

const failed = (code: ErrorCode): ReloadOutcome => ({ kind: "failed", error: new HostError(code) });

describe("a load that failed", () => {
  let reloads = 0;
  let retries: LoadRetries;

  beforeEach(() => {
    vi.useFakeTimers();
    reloads = 0;
    retries = new LoadRetries(() => void (reloads += 1));
  });

  afterEach(() => {
    retries.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test("for a reason that passes is tried again, later and later up to a minute, and from the beginning after a success", () => {
    const delays = Array.from({ length: 8 }, () => {
      const delayMs = retries.note(SLOT, failed("resources-exhausted")) ?? Number.NaN;
      vi.advanceTimersByTime(delayMs);
      return delayMs;
    });
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(reloads).toBe(8);
    expect(retries.note(SLOT, { kind: "unchanged" })).toBeUndefined();
    expect(retries.note(SLOT, failed("component-unreadable"))).toBe(1_000);
  });

  test("is tried again where an older version serves meanwhile, too", () => {
    expect(retries.note(SLOT, { kind: "kept", error: new HostError("load-failed") })).toBe(1_000);
    expect(retries.note(SLOT, { kind: "kept", error: new HostError("denied") })).toBeUndefined();
  });

  test.each(["component-rejected", "compile-failed", "plugin-unloadable", "probe-failed"] as const)(
    "with %s is not tried again: it is the component's own fault",
    (code) => {
      retries.note(SLOT, failed("load-failed"));
      expect(retries.note(SLOT, failed(code))).toBeUndefined();
      vi.advanceTimersByTime(120_000);
      expect(reloads).toBe(0);
    },
  );

  test("is forgotten with its plugin, and at the end", () => {
    retries.note(SLOT, failed("load-failed"));
    retries.forget(SLOT);
    retries.note(SLOT, failed("load-failed"));
    retries.close();
    expect(retries.note(SLOT, failed("load-failed"))).toBeUndefined();
    vi.advanceTimersByTime(120_000);
    expect(reloads).toBe(0);
  });
});
