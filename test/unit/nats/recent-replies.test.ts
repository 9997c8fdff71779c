import { describe, expect, test } from "vitest";
import { RecentReplies } from "../../../src/nats/recent-replies.ts";

function owner(name: string) {
  return { name, refused: () => undefined };
}

describe("the replies that were published last", () => {
  test("find whose reply was refused, each refusal a later one", () => {
    const recent = new RecentReplies();
    const [a, b] = [owner("a"), owner("b")];
    recent.add("inbox.1", 10, a);
    recent.add("inbox.2", 10, b);
    recent.add("inbox.1", 10, b);
    expect(recent.takeRefused("inbox.1")).toEqual({ number: 0, subject: "inbox.1", owner: a });
    expect(recent.takeRefused("inbox.1")).toEqual({ number: 2, subject: "inbox.1", owner: b });
    expect(recent.takeRefused("inbox.1")).toBeUndefined();
    expect(recent.takeRefused("inbox.2")).toBeUndefined();
  });

  test("are nobody's once they are settled, or too far back", () => {
    const recent = new RecentReplies();
    recent.add("settled", 10, owner("a"));
    recent.settleBefore(recent.count);
    expect(recent.takeRefused("settled")).toBeUndefined();
    recent.add("old", 10, owner("a"));
    for (let i = 0; i < 4_096; i++) recent.add(`inbox.${i}`, 10, owner("b"));
    expect(recent.takeRefused("old")).toBeUndefined();
    expect(recent.takeRefused("inbox.0")).toMatchObject({ owner: { name: "b" } });
    expect(recent.takeRefused("inbox.4095")).toMatchObject({ owner: { name: "b" } });
    expect(recent.count).toBe(4_098);
  });

  test("find the first one above a size", () => {
    const recent = new RecentReplies();
    recent.add("small", 10, owner("a"));
    recent.add("large", 1_000, owner("b"));
    recent.add("larger", 2_000, owner("c"));
    expect(recent.takeLargerThan(100)).toMatchObject({ subject: "large", owner: { name: "b" } });
    expect(recent.takeLargerThan(5_000)).toBeUndefined();
  });
});
