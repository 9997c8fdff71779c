import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Presence } from "../../../src/consumer/presence.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import type { PluginSlot, SlotState } from "../../../src/registry/plugin-slot.ts";

const LOADED = { kind: "loaded" } as unknown as SlotState;
const FAILED: SlotState = { kind: "failed", error: new HostError("resources-exhausted") };

describe("a replica's presence for a plugin", () => {
  const subscribed = new Set<string>();
  let others = new Set<string>();
  let told: string[] = [];
  let presence: Presence;

  function slotOf(name: string, state: SlotState): { name: PluginName; state: SlotState; stats: PluginSlot["stats"] } {
    return { name: name as PluginName, state, stats: {} as PluginSlot["stats"] };
  }

  beforeEach(() => {
    vi.useFakeTimers();
    subscribed.clear();
    [others, told] = [new Set(), []];
    presence = new Presence({
      consumer: {
        async subscribe(slots) {
          const names = [...slots].map(({ name }) => name).filter((name) => !subscribed.has(name));
          for (const name of names) subscribed.add(name);
          return names;
        },
        unsubscribe: async (name) => void subscribed.delete(name),
      },
      isServedElsewhere: async (plugin) => others.has(plugin),
      events: {
        subscribed: (plugins) => void told.push(`subscribed ${plugins.join()}`),
        left: (plugin) => void told.push(`left ${plugin}`),
        alone: (plugin) => void told.push(`alone ${plugin}`),
      },
    });
  });

  afterEach(() => {
    presence.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

  test("is there where it is loaded, at once", () => {
    void presence.review([slotOf("a", LOADED), slotOf("b", LOADED)]);
    expect([...subscribed]).toEqual(["a", "b"]);
  });

  test("is there where it is not loaded and nobody else serves it: somebody has to say so", async () => {
    void presence.review([slotOf("a", FAILED)]);
    await settle();
    expect([...subscribed]).toEqual(["a"]);
  });

  test("is left to another replica while that serves it, and comes back when it is alone or has loaded it", async () => {
    others.add("a");
    const slot = slotOf("a", LOADED);
    void presence.review([slot]);
    slot.state = FAILED;
    void presence.review([slot]);
    await settle();
    expect([...subscribed]).toEqual([]);
    others.clear();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([...subscribed]).toEqual(["a"]);
    others.add("a");
    await vi.advanceTimersByTimeAsync(5_000);
    expect([...subscribed]).toEqual([]);
    slot.state = LOADED;
    void presence.review([slot]);
    await settle();
    expect([...subscribed]).toEqual(["a"]);
    await settle();
    expect(told.filter((word) => !word.startsWith("subscribed"))).toEqual(["left a", "alone a", "left a"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is over with the plugin, also where others are being asked about it", async () => {
    const slot = slotOf("a", FAILED);
    void presence.review([slot]);
    const removed = presence.remove(slot);
    await settle();
    await removed;
    await vi.advanceTimersByTimeAsync(20_000);
    expect([...subscribed]).toEqual([]);
  });
});
