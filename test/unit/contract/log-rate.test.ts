import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LogRate, RECOUNT_BURST_SECONDS } from "../../../src/contract/log-rate.ts";

const LINES = 50;
const BYTES = 1_000;

function rateAt(clock: { readonly ms: number }, burstSeconds?: number): LogRate {
  return new LogRate({
    linesPerSecond: LINES,
    bytesPerSecond: BYTES,
    clock: () => clock.ms,
    ...(burstSeconds !== undefined && { burstSeconds }),
  });
}

/** Lines of a plugin: so long after the one before, and so many bytes. */
const said = fc.array(fc.record({ afterMs: fc.nat({ max: 100 }), bytes: fc.nat({ max: 200 }) }), { maxLength: 600 });

test("of lines and bytes comes so much a second, and twice that at once", () => {
  const clock = { ms: 0 };
  const rate = rateAt(clock);
  const taken = (): number => {
    let lines = 0;
    while (rate.take(1)) lines += 1;
    return lines;
  };
  expect(taken()).toBe(2 * LINES);
  clock.ms += 100;
  expect(taken()).toBe(LINES / 10);
  clock.ms += 60_000;
  expect(taken()).toBe(2 * LINES);
  expect(rate.takeMissed()).toBe(3);
  expect(rate.takeMissed()).toBe(0);
});

test("the host drops nothing of what one process let pass, as long as it is less than a second behind", () => {
  fc.assert(
    fc.property(said, fc.nat({ max: 999 }), fc.nat({ max: 20 }), (lines, behindMs, stallEvery) => {
      const [there, here] = [{ ms: 0 }, { ms: 0 }];
      const [process, host] = [rateAt(there), rateAt(here, RECOUNT_BURST_SECONDS)];
      let missed = 0;
      for (const [index, { afterMs, bytes }] of lines.entries()) {
        there.ms += afterMs;
        if (!process.take(bytes)) continue;
        // Some lines arrive when they are said, others late, and none before the one ahead of it.
        here.ms = Math.max(here.ms, there.ms + (stallEvery > 0 && index % stallEvery === 0 ? behindMs : 0));
        if (!host.take(bytes)) missed += 1;
      }
      expect(missed).toBe(0);
    }),
    { interruptAfterTimeLimit: 5_000 },
  );
});

test("the host bounds the lines of several processes together", () => {
  const clock = { ms: 0 };
  const processes = Array.from({ length: 8 }, () => rateAt(clock));
  const host = rateAt(clock, RECOUNT_BURST_SECONDS);
  let passed = 0;
  const SECONDS = 10;
  for (; clock.ms < SECONDS * 1_000; clock.ms += 1)
    for (const rate of processes) if (rate.take(0) && host.take(0)) passed += 1;
  expect(passed).toBeLessThanOrEqual((RECOUNT_BURST_SECONDS + SECONDS) * LINES);
  expect(passed).toBeGreaterThanOrEqual((RECOUNT_BURST_SECONDS + SECONDS - 1) * LINES);
});
