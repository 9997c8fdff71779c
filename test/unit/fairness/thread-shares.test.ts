import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ThreadShare, ThreadShares } from "../../../src/fairness/thread-shares.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "setImmediate", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const QUIET_MS = 10_000;

/** Has the plugin compute whenever it may, for as long as it may, until a time has passed; the result is how long it did. */
function flood(share: ThreadShare, forMs: number, meanwhile: () => void = () => undefined): number {
  const endMs = performance.now() + forMs;
  let workedMs = 0;
  let isResting = false;
  while (performance.now() < endMs) {
    meanwhile();
    const turnMs = isResting ? 0 : share.turnMs(performance.now());
    if (turnMs > 0) {
      vi.advanceTimersByTime(turnMs);
      share.spend(turnMs, performance.now());
      workedMs += turnMs;
      continue;
    }
    if (!isResting) {
      isResting = true;
      share.rest(() => (isResting = false));
    }
    vi.advanceTimersByTime(1);
  }
  return workedMs;
}

/** Some work of a plugin that asks for little. */
function work(share: ThreadShare): void {
  share.spend(0.05, performance.now());
}

describe("a plugin's share of the host's thread", () => {
  test("is all of it while nobody else is active", () => {
    const share = new ThreadShares(4).of("alone");
    expect(flood(share, 1_000)).toBeGreaterThan(990);
  });

  test("is a third at most while a plugin that asks for little is active", () => {
    const shares = new ThreadShares(8);
    const [heavy, light] = [shares.of("heavy"), shares.of("light")];
    const worked = flood(heavy, 1_000, () => {
      if (Math.floor(performance.now()) % 10 === 0) work(light);
    });
    expect(worked).toBeGreaterThan(200);
    expect(worked).toBeLessThan(333);
    // Nor has it made the other one wait.
    expect(light.turnMs(performance.now())).toBeGreaterThan(0);
  });

  test("is all of it again soon after the other one has gone quiet", () => {
    const shares = new ThreadShares(4);
    const heavy = shares.of("heavy");
    work(shares.of("light"));
    flood(heavy, 200);
    expect(flood(heavy, 1_000)).toBeGreaterThan(990);
  });

  test("is not held back for others that use as much", () => {
    const shares = new ThreadShares(4);
    const [one, other] = [shares.of("one"), shares.of("other")];
    flood(one, 200);
    flood(other, 200);
    let others = 0;
    const worked = flood(one, 1_000, () => {
      const turnMs = other.turnMs(performance.now());
      vi.advanceTimersByTime(turnMs);
      other.spend(turnMs, performance.now());
      others += turnMs;
    });
    expect(worked + others).toBeGreaterThan(990);
  });

  test("is as before for one that has rested, and what it owes is bounded", () => {
    const shares = new ThreadShares(4);
    const [heavy, light] = [shares.of("heavy"), shares.of("light")];
    heavy.spend(5_000, performance.now());
    work(light);
    expect(heavy.turnMs(performance.now())).toBe(0);
    vi.advanceTimersByTime(20);
    work(light);
    expect(heavy.turnMs(performance.now())).toBeGreaterThan(0);
    vi.advanceTimersByTime(QUIET_MS);
    // Light again: its own work holds others back.
    heavy.turnMs(performance.now());
    work(heavy);
    light.spend(100, performance.now());
    expect(light.turnMs(performance.now())).toBe(0);
  });
});

test("makes nobody wait for a plugin that moves more to the store than its share", () => {
  const shares = new ThreadShares(2);
  const [mover, heavy] = [shares.of("mover"), shares.of("heavy")];
  heavy.spend(5_000, performance.now());
  mover.transfers.spend(16 * 1024 * 1024);
  work(mover);
  expect(heavy.turnMs(performance.now())).toBeGreaterThan(0);
  vi.advanceTimersByTime(QUIET_MS);
  // It has made up for that, and is reckoned with again.
  mover.turnMs(performance.now());
  work(mover);
  heavy.spend(5_000, performance.now());
  expect(heavy.turnMs(performance.now())).toBe(0);
});

test("comes in shorter turns to a plugin that asks for much while another is active", () => {
  const shares = new ThreadShares(8);
  const [heavy, light] = [shares.of("heavy"), shares.of("light")];
  const aloneMs = heavy.turnMs(performance.now());
  heavy.spend(100, performance.now());
  work(light);
  // Long enough for several turns, and not for a pause.
  vi.advanceTimersByTime(20);
  work(light);
  const sharedMs = heavy.turnMs(performance.now());
  expect(sharedMs).toBeGreaterThan(0);
  expect(sharedMs).toBeLessThan(aloneMs / 2);
});

test("is let go with its plugin, and full again for one that comes back", () => {
  const shares = new ThreadShares(4);
  const [removed, light] = [shares.of("removed"), shares.of("light")];
  removed.spend(5_000, performance.now());
  shares.forget("removed");
  work(light);
  expect(shares.of("removed")).not.toBe(removed);
  expect(shares.of("removed").turnMs(performance.now())).toBeGreaterThan(0);
});

test("belongs to whoever opened it, and is found by the plugin's name until that one disposes of it", () => {
  const shares = new ThreadShares(4);
  const share = shares.open("plugin");
  expect(shares.of("plugin")).toBe(share);
  share[Symbol.dispose]();
  // The plugin came back before its old share was disposed of once more.
  const next = shares.open("plugin");
  share[Symbol.dispose]();
  expect(next).not.toBe(share);
  expect(shares.of("plugin")).toBe(next);
});

test("is smaller where processors are few", () => {
  const [one, two, many] = [1, 2, 64].map((processors) => new ThreadShares(processors).fillRate);
  expect([one, two, many]).toEqual([0.04, 0.08, 0.3]);
});

test("is shared while a plugin that asks for little is active beside it, and a while after", () => {
  const shares = new ThreadShares(4);
  const [heavy, light] = [shares.of("heavy"), shares.of("light")];
  flood(heavy, 200);
  expect(heavy.isShared).toBe(false);
  work(light);
  expect(heavy.isShared).toBe(true);
  vi.advanceTimersByTime(2_000);
  expect(heavy.isShared).toBe(false);
});

describe("work that comes in bursts", () => {
  /** Work that takes so long. */
  const taking = (ms: number, done: () => void) => (): void => {
    vi.advanceTimersByTime(ms);
    done();
  };

  test("is done at once where it is little", () => {
    const { turns } = new ThreadShares(4).of("plugin");
    const done: number[] = [];
    turns.run(taking(0.1, () => done.push(1)));
    turns.run(taking(0.1, () => done.push(2)));
    expect(done).toEqual([1, 2]);
  });

  test("is done in turns where it is much, in order and all of it", async () => {
    const shares = new ThreadShares(4);
    const { turns } = shares.of("plugin");
    const done: (number | "other")[] = [];
    for (let at = 0; at < 100; at += 1) turns.run(taking(0.1, () => done.push(at)));
    expect(done.length).toBeLessThan(20);
    const rest = shares.settled();
    setImmediate(() => done.push("other"));
    vi.runAllTimers();
    await rest;
    expect(done.filter((entry) => entry !== "other")).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(done.indexOf("other")).toBeLessThan(50);
  });

  test("is done in one go, and not at once, where timers ask for it", () => {
    const { turns } = new ThreadShares(4).of("plugin");
    const done: string[] = [];
    for (const name of ["first", "second"]) turns.defer(() => done.push(name));
    setImmediate(() => done.push("other"));
    expect(done).toEqual([]);
    vi.runAllTimers();
    expect(done).toEqual(["first", "second", "other"]);
  });

  test("is done now when it is flushed", async () => {
    const shares = new ThreadShares(4);
    const { turns } = shares.of("plugin");
    const done: number[] = [];
    for (let at = 0; at < 100; at += 1) turns.run(taking(0.1, () => done.push(at)));
    shares.flush();
    await shares.settled();
    expect(done).toHaveLength(100);
    vi.runAllTimers();
    expect(done).toHaveLength(100);
  });

  test("is done now where too much waits", () => {
    const { turns } = new ThreadShares(4).of("plugin");
    let done = 0;
    for (let at = 0; at < 10_000; at += 1) turns.run(taking(0.1, () => (done += 1)));
    expect(done).toBeGreaterThan(7_000);
  });
});
