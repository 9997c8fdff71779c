import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Gate } from "../../../src/registry/gate.ts";

describe("a gate", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Work that ends when it is told to. */
  function work(gate: Gate) {
    const begun: number[] = [];
    const ends: PromiseWithResolvers<void>[] = [];
    const add = (): Promise<void> => {
      const index = ends.push(Promise.withResolvers<void>()) - 1;
      return gate.run(async () => {
        begun.push(index);
        await ends[index]?.promise;
      });
    };
    return { begun, ends, add };
  }

  test("lets so many in at a time, and the others in the order they came", async () => {
    const { begun, ends, add } = work(new Gate({ places: 2 }));
    const all = [add(), add(), add(), add()];
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begun).toEqual([0, 1]);
    ends[1]?.resolve();
    await all[1];
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of ends) resolve();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test("gives a place back when the work fails", async () => {
    const { begun, ends, add } = work(new Gate({ places: 1 }));
    const failing = add();
    const next = add();
    ends[0]?.reject(new Error("it failed"));
    await expect(failing).rejects.toThrow("it failed");
    ends[1]?.resolve();
    await next;
    expect(begun).toEqual([0, 1]);
  });

  test("passes the place of work that takes too long on, once", async () => {
    const { begun, ends, add } = work(new Gate({ places: 1, holdMs: 1_000 }));
    const slow = add();
    const others = [add(), add()];
    await vi.advanceTimersByTimeAsync(999);
    expect(begun).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual([0, 1]);
    ends[0]?.resolve();
    await slow;
    expect(begun).toEqual([0, 1]);
    for (const { resolve } of ends) resolve();
    await Promise.all(others);
    expect([begun, vi.getTimerCount()]).toEqual([[0, 1, 2], 0]);
  });
});
