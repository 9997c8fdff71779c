import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../src/scheduling/token-bucket.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

describe("a token bucket", () => {
  test("is full at first, and holds no more than that however long it rests", () => {
    const bucket = new TokenBucket({ capacity: 10, perMs: 2 });
    expect(bucket.fill(1_000)).toBe(10);
    bucket.take(10);
    expect(bucket.fill(1_003)).toBe(6);
    expect(bucket.fill(9_000)).toBe(10);
  });

  test("lets as much be taken at once as there is not, and has that made up for", () => {
    const bucket = new TokenBucket({ capacity: 10, perMs: 2 });
    bucket.fill(0);
    bucket.take(50);
    expect(bucket.level).toBe(-40);
    expect(bucket.msUntil(1)).toBe(20.5);
    expect(bucket.fill(20)).toBe(0);
  });

  test("forgives what is owed beyond its bound, or all of it where it is told to", () => {
    const bucket = new TokenBucket({ capacity: 10, perMs: 2, maxOwed: 4 });
    bucket.fill(0);
    bucket.take(1_000);
    expect(bucket.level).toBe(-4);
    bucket.forgive();
    expect(bucket.level).toBe(0);
    bucket.take(-3);
    bucket.forgive();
    expect(bucket.level).toBe(3);
  });

  test("takes back what was not used after all, up to its capacity", () => {
    const bucket = new TokenBucket({ capacity: 10, perMs: 2 });
    bucket.fill(0);
    bucket.take(8);
    bucket.take(-5);
    expect(bucket.level).toBe(7);
    bucket.take(-100);
    expect(bucket.level).toBe(10);
  });
});

const uses = fc.array(
  fc.record({ afterMs: fc.double({ min: 0, max: 50, noNaN: true }), tokens: fc.integer({ min: 1, max: 40 }) }),
  { minLength: 1, maxLength: 200 },
);

test("over any time no more is taken than the capacity and what that time brought, by those who take what is there", () => {
  fc.assert(
    fc.property(
      uses,
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0.01, max: 3, noNaN: true }),
      (all, capacity, perMs) => {
        const bucket = new TokenBucket({ capacity, perMs });
        let nowMs = 0;
        const taken: { readonly atMs: number; readonly tokens: number }[] = [];
        for (const { afterMs, tokens } of all) {
          nowMs += afterMs;
          if (bucket.fill(nowMs) < tokens) {
            // So long, and not longer, until it may.
            const until = bucket.msUntil(tokens);
            expect(until).toBeCloseTo((tokens - bucket.level) / perMs, 6);
            continue;
          }
          bucket.take(tokens);
          taken.push({ atMs: nowMs, tokens });
        }
        for (const [from, first] of taken.entries()) {
          let sum = 0;
          for (const { atMs, tokens } of taken.slice(from)) {
            sum += tokens;
            expect(sum).toBeLessThanOrEqual(capacity + (atMs - first.atMs) * perMs + 1e-6);
          }
        }
      },
    ),
    { numRuns: 200, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("it makes no difference how often it is filled", () => {
  fc.assert(
    fc.property(uses, (all) => {
      const [often, seldom] = [0, 1].map(() => new TokenBucket({ capacity: 100, perMs: 0.7, maxOwed: 60 }));
      let nowMs = 0;
      for (const { afterMs, tokens } of all) {
        for (let step = 1; step <= 4; step += 1) often?.fill(nowMs + (afterMs * step) / 4);
        nowMs += afterMs;
        seldom?.fill(nowMs);
        for (const bucket of [often, seldom]) bucket?.take(tokens);
        expect(often?.level).toBeCloseTo(seldom?.level ?? Number.NaN, 6);
      }
    }),
    { numRuns: 200, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
