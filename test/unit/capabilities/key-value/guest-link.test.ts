import { describe, expect, test } from "vitest";
import type { KeyValueToHost } from "../../../../src/capabilities/key-value/messages.ts";
import { MIB } from "../../../../src/contract/limit-row.ts";
import { FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import { KeyValueLink } from "../../../../src/capabilities/key-value/guest/link.ts";

const HALF = Buffer.alloc(FIXED_LIMITS.runnerWriteBytes / 2);
const SMALL = Buffer.from("v");
const DONE = { kind: "none" } as const;

class Stage {
  readonly sent: KeyValueToHost[] = [];
  readonly link: KeyValueLink = new KeyValueLink((message) => void this.sent.push(message));

  set(call: number, value: Uint8Array): Promise<unknown> {
    return this.link.port(call).perform({ kind: "set", bucket: "b", key: "k", value });
  }

  /** Answers the operation that was sent as the so manieth, from 0 on. */
  answer(index: number): void {
    const message = this.sent[index];
    if (message === undefined) throw new Error("no operation was sent there");
    this.link.receive({ kind: "key-value-result", op: message.op, result: DONE });
  }

  get calls(): unknown[] {
    return this.sent.map(({ call }) => call);
  }
}

describe("a call's operations", () => {
  test("are answered by their own results", async () => {
    const stage = new Stage();
    const [first, second] = [stage.set(1, SMALL), stage.set(2, SMALL)];
    stage.answer(1);
    stage.answer(0);
    expect(await Promise.all([first, second])).toEqual([DONE, DONE]);
  });

  test("wait in the process while as much is on its way as may be; reads pass them", () => {
    const stage = new Stage();
    for (const call of [1, 2, 3]) void stage.set(call, HALF);
    void stage.link.port(4).perform({ kind: "get", bucket: "b", key: "k" });
    expect(stage.calls).toEqual([1, 2, 4]);
    stage.answer(0);
    expect(stage.calls).toEqual([1, 2, 4, 3]);
  });

  test("are forgotten with the call, and what was sent keeps its place until it is answered", () => {
    const stage = new Stage();
    for (const call of [1, 2, 3, 4]) void stage.set(call, HALF);
    // Hundreds of calls that are cut off at once must not send what they had waiting.
    for (const call of [1, 2, 3]) stage.link.endCall(call, "cut-off");
    expect(stage.calls).toEqual([1, 2]);
    stage.answer(0);
    expect(stage.calls).toEqual([1, 2, 4]);
  });

  test("of a call that has ended resolve nothing", async () => {
    const stage = new Stage();
    const outcome = Promise.race([stage.set(1, SMALL), new Promise((resolve) => setImmediate(resolve, "pending"))]);
    stage.link.endCall(1, "cut-off");
    stage.answer(0);
    expect(await outcome).toBe("pending");
  });

  test("of largest values go one at a time", () => {
    const stage = new Stage();
    for (const call of [1, 2]) void stage.set(call, Buffer.alloc(15 * MIB));
    expect(stage.calls).toEqual([1]);
    stage.answer(0);
    expect(stage.calls).toEqual([1, 2]);
  });
});
