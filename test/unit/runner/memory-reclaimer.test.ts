import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { MemoryReclaimer } from "../../../src/runner/memory-reclaimer.ts";

const MIB = 1024 * 1024;

it("collects once enough garbage has gathered, and starts counting anew", async () => {
  let collections = 0;
  const reclaimer = new MemoryReclaimer(() => void (collections += 1));
  for (let round = 1; round <= 3; round++) {
    for (let instance = 0; instance < 15; instance++) reclaimer.note(16 * MIB);
    await turn();
    expect(collections).toBe(round - 1);
    reclaimer.note(16 * MIB);
    reclaimer.note(16 * MIB);
    expect(collections).toBe(round - 1);
    await turn();
    expect(collections).toBe(round);
  }
});
