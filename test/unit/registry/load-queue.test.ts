import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LoadQueue } from "../../../src/registry/load-queue.ts";
import type { PluginSlot } from "../../../src/registry/plugin-slot.ts";

const slotOf = (name: string): PluginSlot => ({ name }) as unknown as PluginSlot;

describe("loads", () => {
  let begun: string[];
  let ends: Map<string, () => void>;
  let queue: LoadQueue;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    begun = [];
    ends = new Map();
    queue = new LoadQueue((slot) => {
      begun.push(slot.name);
      return new Promise((resolve) => ends.set(slot.name, resolve));
    });
  });

  afterEach(() => void vi.useRealTimers());

  test("of one plugin follow each other, and those that wait are one", async () => {
    const a = slotOf("a");
    const done = [queue.add(a), queue.add(a), queue.add(a)];
    await turn();
    expect(begun).toEqual(["a"]);
    ends.get("a")?.();
    await turn();
    expect(begun).toEqual(["a", "a"]);
    ends.get("a")?.();
    await Promise.all(done);
    void queue.add(a);
    await turn();
    expect(begun).toEqual(["a", "a", "a"]);
  });

  test("of other plugins wait for none that takes long", async () => {
    for (let n = 0; n < 40; n++) void queue.add(slotOf(`slow-${n}`));
    void queue.add(slotOf("last"));
    await turn();
    expect(begun).toHaveLength(16);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun).toHaveLength(32);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun.at(-1)).toBe("last");
  });

  test("that wait are forgotten with their plugin", async () => {
    const a = slotOf("a");
    void queue.add(a);
    await turn();
    const done = queue.add(a);
    queue.remove(a);
    ends.get("a")?.();
    await done;
    expect(begun).toEqual(["a"]);
  });
});
