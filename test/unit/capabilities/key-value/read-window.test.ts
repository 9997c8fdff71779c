import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { KeyValueResult } from "../../../../src/capabilities/key-value/messages.ts";
import { ReadWindow } from "../../../../src/capabilities/key-value/host/read-window.ts";

const MIB = 1024 * 1024;

/** Reads of values of a size, which end when they are told to; counts how many are in flight. */
class Reads {
  readonly #window: ReadWindow;
  readonly #open: PromiseWithResolvers<KeyValueResult>[] = [];
  underWay = 0;
  most = 0;
  done = 0;

  constructor(window: ReadWindow) {
    this.#window = window;
  }

  begin(count: number): void {
    for (let i = 0; i < count; i++) void this.#run();
  }

  async end(bytes: number, count = this.#open.length): Promise<void> {
    for (const read of this.#open.splice(0, count)) read.resolve({ kind: "value", value: new Uint8Array(bytes) });
    // Places are handed on a turn after their results.
    await turn();
    await turn();
  }

  async endAll(bytes: number): Promise<void> {
    while (this.#open.length > 0) await this.end(bytes);
  }

  async #run(): Promise<void> {
    await this.#window.run(() => {
      this.underWay += 1;
      this.most = Math.max(this.most, this.underWay);
      const read = Promise.withResolvers<KeyValueResult>();
      this.#open.push(read);
      return read.promise.finally(() => (this.underWay -= 1));
    });
    this.done += 1;
  }
}

describe("reads in flight for a runner", () => {
  test("are few until it is known what they bring", () => {
    const reads = new Reads(new ReadWindow(128 * MIB));
    reads.begin(100);
    expect(reads.underWay).toBe(16);
  });

  test("never bring more than the bound once large values were seen, and all are done in the end", async () => {
    const reads = new Reads(new ReadWindow(128 * MIB));
    reads.begin(100);
    await reads.end(15 * MIB);
    reads.most = 0;
    await reads.endAll(15 * MIB);
    expect(reads.most).toBeLessThanOrEqual(Math.floor(128 / 15));
    expect(reads.done).toBe(100);
  });

  test("are many once small values were seen", async () => {
    const reads = new Reads(new ReadWindow(128 * MIB));
    reads.begin(1_000);
    await reads.endAll(100);
    reads.begin(1_000);
    expect(reads.underWay).toBe(1_000);
    await reads.endAll(100);
    expect(reads.done).toBe(2_000);
  });

  test("begin in the order in which they were asked for", async () => {
    const window = new ReadWindow(2 * MIB);
    const order: number[] = [];
    const all = Array.from({ length: 40 }, (_, index) =>
      window.run(async () => {
        order.push(index);
        return { kind: "none" };
      }),
    );
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });
});
