import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LoadQueue } from "../../../src/registry/load-queue.ts";
import type { PluginSpec } from "../../../src/registry/plugin-loader.ts";
import type { PluginSlot } from "../../../src/registry/plugin-slot.ts";

const slotOf = (name: string): PluginSlot => ({ name }) as unknown as PluginSlot;
const specOf = (version: number): PluginSpec => ({ version: String(version) }) as unknown as PluginSpec;

describe("loads", () => {
  let begun: string[];
  let ends: Map<string, () => void>;
  let queue: LoadQueue;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    begun = [];
    ends = new Map();
    queue = new LoadQueue((slot, { version }) => {
      begun.push(`${slot.name} ${version}`);
      return new Promise((resolve) => ends.set(slot.name, resolve));
    });
  });

  afterEach(() => void vi.useRealTimers());

  test("of one plugin follow each other, and of those that wait the latest alone counts", async () => {
    const a = slotOf("a");
    const done = [1, 2, 3].map((version) => queue.add(a, specOf(version)));
    await turn();
    expect(begun).toEqual(["a 1"]);
    done.push(queue.add(a, specOf(4)), queue.add(a, specOf(5)));
    ends.get("a")?.();
    await turn();
    expect(begun).toEqual(["a 1", "a 5"]);
    ends.get("a")?.();
    await Promise.all(done);
    void queue.add(a, specOf(6));
    await turn();
    expect(begun).toEqual(["a 1", "a 5", "a 6"]);
  });

  test("of other plugins wait for none that takes long", async () => {
    for (let n = 0; n < 40; n++) void queue.add(slotOf(`slow-${n}`), specOf(1));
    void queue.add(slotOf("last"), specOf(1));
    await turn();
    expect(begun).toHaveLength(16);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun).toHaveLength(32);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun.at(-1)).toBe("last 1");
  });

  test("that wait are forgotten with their plugin", async () => {
    const a = slotOf("a");
    void queue.add(a, specOf(1));
    await turn();
    const done = queue.add(a, specOf(2));
    queue.remove(a);
    ends.get("a")?.();
    await done;
    expect(begun).toEqual(["a 1"]);
  });
});
