import { describe, expect, test } from "vitest";
import { PublishRight } from "../../../src/nats/publish-right.ts";

/** Sends replies and asks the server behind them, as a link does. */
class Replies {
  nowMs = 0;
  readonly right = new PublishRight(() => this.nowMs);
  #count = 0;

  /** `x` for a reply that is refused, `.` for one that is taken; then the server answers a question. */
  window(replies: string): string | undefined {
    for (const reply of replies) {
      if (reply === "x") this.right.refuse(this.#count, "no");
      this.#count += 1;
    }
    this.right.asked(this.#count);
    this.right.answered();
    return this.right.refusal;
  }

  renew(): void {
    this.right.renewed(this.#count);
  }
}

describe("the right to publish replies", () => {
  test("is lost when the last few were refused, and there again with one that was taken", () => {
    const replies = new Replies();
    expect(replies.window("..........")).toBeUndefined();
    expect(replies.window("....xxx")).toBe("no");
    // Nothing was sent: nothing is known.
    expect(replies.window("")).toBe("no");
    expect(replies.window("x")).toBe("no");
    expect(replies.window(".")).toBeUndefined();
  });

  test("is lost when requests are rare, too", () => {
    const replies = new Replies();
    expect([replies.window("x"), replies.window(""), replies.window("x"), replies.window("x")]).toEqual([
      undefined,
      undefined,
      undefined,
      "no",
    ]);
  });

  test("is not lost by callers who name subjects that nobody may publish on", () => {
    const replies = new Replies();
    for (const window of ["x.x.x.", "xxxx.", "..x", "xx.", "x", ".x", "x"]) {
      expect(replies.window(window), window).toBeUndefined();
    }
  });

  test("is taken for there after a minute without a refusal, and on a new connection", () => {
    const replies = new Replies();
    expect(replies.window("xxx")).toBe("no");
    replies.nowMs = 59_999;
    expect(replies.right.refusal).toBe("no");
    replies.nowMs = 60_000;
    expect(replies.right.refusal).toBeUndefined();
    expect(replies.window("xx")).toBeUndefined();
    expect(replies.window("x")).toBe("no");
    replies.renew();
    expect(replies.right.refusal).toBeUndefined();
    expect(replies.window("xx")).toBeUndefined();
  });
});
