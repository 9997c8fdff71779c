import { describe, expect, test } from "vitest";
import { HeldReplies } from "../../../src/nats/held-replies.ts";

const OVERHEAD = 512;

function reply(plugin: string, bytes: number, untilMs = 1_000) {
  return { plugin, bytes: bytes - OVERHEAD, untilMs };
}

describe("replies that wait", () => {
  test("are given back in the order of each plugin, and are gone then", () => {
    const held = new HeldReplies<ReturnType<typeof reply>>(100_000);
    const replies = [reply("a", 1_000), reply("b", 1_000), reply("a", 2_000)];
    for (const one of replies) expect(held.add(one)).toEqual([]);
    expect([held.count, held.bytes]).toEqual([3, 4_000]);
    expect(held.takeAll().filter(({ plugin }) => plugin === "a")).toEqual([replies[0], replies[2]]);
    expect([held.count, held.bytes]).toEqual([0, 0]);
    expect(held.takeAll()).toEqual([]);
  });

  test("make room at the cost of the plugin that holds most", () => {
    const held = new HeldReplies<ReturnType<typeof reply>>(10_000);
    const large = [reply("greedy", 3_000), reply("greedy", 3_000), reply("greedy", 3_000)];
    for (const one of large) held.add(one);
    expect(held.add(reply("modest", 1_000))).toEqual([]);
    expect(held.add(reply("modest", 1_000))).toEqual([large[0]]);
    expect(held.add(reply("greedy", 3_000))).toEqual([large[1]]);
    expect([held.count, held.bytes]).toEqual([4, 8_000]);
  });

  test("take no more than there is room for, also with one reply that is larger", () => {
    const held = new HeldReplies<ReturnType<typeof reply>>(10_000);
    const huge = reply("a", 20_000);
    expect(held.add(huge)).toEqual([huge]);
    expect([held.count, held.bytes]).toEqual([0, 0]);
  });

  test("are given up when nobody waits any more", () => {
    const held = new HeldReplies<ReturnType<typeof reply>>(10_000);
    const [early, late] = [reply("a", 1_000, 10), reply("a", 1_000, 20)];
    held.add(early);
    held.add(late);
    expect(held.takeExpired(9)).toEqual([]);
    expect(held.takeExpired(10)).toEqual([early]);
    expect([held.count, held.bytes]).toEqual([1, 1_000]);
    expect(held.takeExpired(20)).toEqual([late]);
  });
});
