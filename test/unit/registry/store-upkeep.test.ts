import { beforeEach, describe, expect, test } from "vitest";
import { StoreUpkeep, type StoreUpkeepOptions } from "../../../src/registry/store-upkeep.ts";

const MAX_BYTES = 1_000;
const BATCH_BYTES = 100;

let done: string[];
let failures: unknown[];
/** What a look after the store waits for. */
let holding: Promise<void> | undefined;
let fault: Error | undefined;

beforeEach(() => {
  [done, failures, holding, fault] = [[], [], undefined, undefined];
});

function open(options: Partial<StoreUpkeepOptions> = {}): StoreUpkeep {
  return new StoreUpkeep({
    store: () =>
      Promise.resolve({
        persist: async () => {
          done.push("persist");
          await holding;
          if (fault !== undefined) throw fault;
        },
        prune: (bytes: number) => Promise.resolve(void done.push(`prune ${bytes}`)),
      }),
    maxBytes: MAX_BYTES,
    failed: (error) => void failures.push(error),
    batchBytes: BATCH_BYTES,
    ...options,
  });
}

const ONCE = ["persist", `prune ${MAX_BYTES}`];

describe("a store", () => {
  test("is looked after once, when the last of the transfers has ended", async () => {
    const upkeep = open();
    const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const transfers = [upkeep.after(1, () => one.promise), upkeep.after(1, () => other.promise)];
    one.resolve();
    await transfers[0];
    expect(done).toEqual([]);
    other.resolve();
    await transfers[1];
    await upkeep[Symbol.asyncDispose]();
    expect(done).toEqual(ONCE);
  });

  test("is looked after during a batch that has brought many bytes", async () => {
    const upkeep = open();
    const endless = Promise.withResolvers<void>();
    const transfer = upkeep.after(1, () => endless.promise);
    await upkeep.after(BATCH_BYTES - 1, () => Promise.resolve());
    expect(done).toEqual([]);
    await upkeep.after(1, () => Promise.resolve());
    await expect.poll(() => done).toEqual(ONCE);
    endless.resolve();
    await transfer;
    await upkeep[Symbol.asyncDispose]();
    expect(done).toEqual([...ONCE, ...ONCE]);
  });

  test("is not looked after where nothing came, and whoever asked is told why", async () => {
    const upkeep = open();
    await expect(upkeep.after(1, () => Promise.reject(new Error("no registry")))).rejects.toThrow("no registry");
    await upkeep[Symbol.asyncDispose]();
    expect(done).toEqual([]);
  });

  test("is looked after by one at a time, and once more for what came meanwhile", async () => {
    const upkeep = open();
    const hold = Promise.withResolvers<void>();
    holding = hold.promise;
    await upkeep.after(1, () => Promise.resolve());
    await expect.poll(() => done).toEqual(["persist"]);
    await upkeep.after(1, () => Promise.resolve());
    await upkeep.after(1, () => Promise.resolve());
    expect(done).toEqual(["persist"]);
    hold.resolve();
    await expect.poll(() => done).toEqual([...ONCE, ...ONCE]);
    await upkeep[Symbol.asyncDispose]();
  });

  test("that cannot be looked after keeps no transfer from ending, and the next one tries again", async () => {
    const upkeep = open();
    fault = new Error("the disk is gone");
    expect(await upkeep.after(1, () => Promise.resolve("here"))).toBe("here");
    await upkeep[Symbol.asyncDispose]();
    expect(failures).toEqual([fault]);
    fault = undefined;
    await upkeep.after(1, () => Promise.resolve());
    await upkeep[Symbol.asyncDispose]();
    expect([failures.length, done]).toEqual([1, ["persist", ...ONCE]]);
  });
});
