import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { expectAgreement, openRunner, openShim, type Side } from "./sides.ts";
import { PROPERTY_TIME_MS } from "../../../harness/property.ts";

const NS_PER_MS = 1_000_000n;
const HOUR_NS = 3_600_000n * NS_PER_MS;

/** Timers of the shim are never cleared, so they run on a clock of the test's. */
function freezeTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
}

afterEach(() => void vi.useRealTimers());

describe("clocks", () => {
  it("have the same resolution, and not none", () => {
    expectAgreement((side) => [side.wasi.monotonicClock.resolution(), side.wasi.wallClock.resolution()]);
    expect(openRunner().wasi.monotonicClock.resolution()).toBeGreaterThan(0n);
  });

  it("show the same monotonic time, to the millisecond, and never go back", () => {
    const [ours, theirs] = [openRunner().wasi.monotonicClock, openShim().wasi.monotonicClock];
    for (let round = 0; round < 10_000; round++) {
      const [before, now, after] = [theirs.now(), ours.now(), theirs.now()];
      expect(now).toBeGreaterThanOrEqual(before - (before % NS_PER_MS));
      expect(now).toBeLessThanOrEqual(after);
      expect(ours.now()).toBeGreaterThanOrEqual(now);
    }
  });

  it("show the same date and time", () => {
    freezeTime();
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }), (date) => {
        vi.setSystemTime(date);
        expectAgreement((side) => side.wasi.wallClock.now());
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});

/** A pollable that is ready after so many milliseconds, up to one of them early in nanoseconds. */
interface Wait {
  readonly kind: "duration" | "instant";
  readonly ms: number;
  readonly earlyNs: bigint;
}

const LAST_MS = 24;
/** Every other millisecond: a wait of none takes the shim a turn of the event loop. */
const wait: fc.Arbitrary<Wait> = fc.record({
  kind: fc.constantFrom("duration", "instant"),
  ms: fc.nat({ max: LAST_MS / 2 }).map((half) => half * 2),
  earlyNs: fc.bigInt({ min: 0n, max: NS_PER_MS - 1n }),
});

function subscribe(
  { wasi }: Side,
  { kind, ms, earlyNs }: Wait,
): ReturnType<typeof wasi.monotonicClock.subscribeDuration> {
  const delayNs = ms === 0 ? 0n : BigInt(ms) * NS_PER_MS - earlyNs;
  if (kind === "duration") return wasi.monotonicClock.subscribeDuration(delayNs);
  return wasi.monotonicClock.subscribeInstant(wasi.monotonicClock.now() + delayNs);
}

/** What one poll answers, and when, and which are ready in every millisecond from then on. */
async function pollAll(side: Side, waits: readonly Wait[]): Promise<unknown> {
  const pollables = waits.map((wait) => subscribe(side, wait));
  const seen: unknown[] = [];
  let atMs = 0;
  const polled = Promise.resolve(side.wasi.poll.poll(pollables)).then((ready) =>
    seen.push({ atMs, ready: [...ready] }),
  );
  for (; atMs <= LAST_MS; atMs++) {
    await vi.advanceTimersByTimeAsync(atMs === 0 ? 0 : 1);
    seen.push(pollables.map((pollable) => pollable.ready()));
  }
  await polled;
  return seen;
}

describe("poll", () => {
  it("answers with the same indices at the same time", async () => {
    freezeTime();
    const waits = fc.uniqueArray(wait, { minLength: 1, maxLength: 6, selector: ({ ms }) => ms });
    await fc.assert(
      fc.asyncProperty(waits, async (waits) => {
        expect(await pollAll(openRunner(), waits)).toEqual(await pollAll(openShim(), waits));
      }),
      { numRuns: 60 },
    );
  });

  it("lists every index of what is ready, of one pollable twice too, and no other", async () => {
    freezeTime();
    const answers = await Promise.all(
      [openRunner(), openShim()].map(async (side) => {
        const { monotonicClock, poll, stdin, stdout } = side.wasi;
        const input = stdin.getStdin().subscribe();
        const later = monotonicClock.subscribeDuration(HOUR_NS);
        const never = monotonicClock.subscribeInstant(2n ** 64n - 1n);
        const past = monotonicClock.subscribeInstant(0n);
        const list = [input, later, stdout.getStdout().subscribe(), never, past, input];
        const polled = poll.poll(list) as Uint32Array | Promise<Uint32Array>;
        await vi.advanceTimersByTimeAsync(1);
        return await polled;
      }),
    );
    const ready = Uint32Array.of(0, 2, 4, 5);
    expect(answers).toEqual([ready, ready]);
  });

  it("traps on an empty list", () => {
    expectAgreement((side) => side.attempt(() => side.wasi.poll.poll([])));
  });

  it("blocks on one pollable as long", async () => {
    freezeTime();
    for (const delayMs of [0, 1, 7]) {
      const states = [openRunner(), openShim()].map(async (side) => {
        const pollable = side.wasi.monotonicClock.subscribeDuration(BigInt(delayMs) * NS_PER_MS);
        const startedMs = performance.now();
        await Promise.resolve(pollable.block());
        return performance.now() - startedMs;
      });
      await vi.advanceTimersByTimeAsync(delayMs);
      expect(await Promise.all(states)).toEqual([delayMs, delayMs]);
    }
  });
});
