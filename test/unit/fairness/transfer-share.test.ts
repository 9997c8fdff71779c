import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TransferShare } from "../../../src/fairness/transfer-share.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const MIB = 1024 * 1024;
/** A megabyte takes a tenth of a second. */
const BYTES_PER_MS = MIB / 100;

class Stage {
  isShared = true;
  /** How often it was told that the plugin has moved more than its share. */
  owed = 0;
  readonly share: TransferShare = new TransferShare({
    bytesPerMs: BYTES_PER_MS,
    isShared: () => this.isShared,
    owed: () => (this.owed += 1),
  });
  readonly begun: string[] = [];

  begin(name: string, bytes: number): void {
    void (this.share.begin(() => bytes) ?? Promise.resolve()).then(() => this.begun.push(name));
  }

  /** Names of what has begun after some more time. */
  async after(ms: number): Promise<string[]> {
    await vi.advanceTimersByTimeAsync(ms);
    return this.begun;
  }
}

describe("what a plugin moves to and from the store", () => {
  test("waits for nothing as long as it is within the share", async () => {
    const stage = new Stage();
    for (let round = 0; round < 20; round++) {
      stage.begin(`${round}`, MIB / 2);
      expect(await stage.after(51)).toHaveLength(round + 1);
    }
  });

  test("waits beyond it until that is made up for, in order", async () => {
    const stage = new Stage();
    for (const name of ["a", "b", "c", "d"]) stage.begin(name, MIB);
    // Two are saved up.
    expect(await stage.after(0)).toEqual(["a", "b"]);
    expect(await stage.after(2)).toEqual(["a", "b", "c"]);
    expect(await stage.after(90)).toEqual(["a", "b", "c"]);
    expect(await stage.after(20)).toEqual(["a", "b", "c", "d"]);
  });

  test("is no more at once than may be saved up, however long nothing was moved", async () => {
    const stage = new Stage();
    for (let round = 0; round < 3; round++) {
      await stage.after(10_000);
      stage.begun.length = 0;
      for (const name of ["a", "b", "c", "d"]) stage.begin(name, MIB);
      expect(await stage.after(0)).toEqual(["a", "b"]);
    }
  });

  test("waits for nothing while no light plugin is active, and goes on soon when there is none any more", async () => {
    const stage = new Stage();
    stage.isShared = false;
    for (let round = 0; round < 20; round++) stage.begin("alone", MIB);
    expect(await stage.after(0)).toHaveLength(20);
    stage.isShared = true;
    stage.begin("beside", MIB);
    // What was moved before is not held against it, but for the last one.
    expect(await stage.after(90)).toHaveLength(20);
    expect(await stage.after(20)).toHaveLength(21);
    stage.begin("beside", 16 * MIB);
    stage.begin("beside", MIB);
    expect(await stage.after(1_000)).toHaveLength(22);
    stage.isShared = false;
    expect(await stage.after(1_000)).toHaveLength(23);
  });

  test("is made up for within the time of the largest value, whatever was moved", async () => {
    const stage = new Stage();
    stage.share.spend(1_000 * MIB);
    stage.begin("next", 1);
    expect(await stage.after(1_590)).toEqual([]);
    expect(await stage.after(20)).toEqual(["next"]);
  });

  test("is what is thought of it when it begins, and corrected by what it was", async () => {
    const { share } = new Stage();
    let expected = 0;
    share.spend(2 * MIB + 1);
    const waiting = share.begin(() => expected);
    expect(waiting).toBeDefined();
    expected = 5 * MIB;
    await vi.advanceTimersByTimeAsync(10);
    await waiting;
    expect(share.isOwed).toBe(true);
    share.spend(-5 * MIB);
    expect(share.isOwed).toBe(false);
  });

  test("is told of when it is more than the share, and not before", () => {
    const stage = new Stage();
    stage.share.spend(2 * MIB - 1);
    expect(stage.owed).toBe(0);
    stage.share.spend(1);
    expect([stage.owed, stage.share.isOwed]).toEqual([1, true]);
  });
});
