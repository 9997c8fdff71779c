import { expect, test } from "vitest";
import type { LoadFigures } from "../../../bench/jobs/load-spec.ts";
import { type SwapMeasurement, swapLine, swapsOf, swapText, swapWarnings } from "../../../bench/swap/swap.ts";

function figures(p99: number, more: Partial<LoadFigures> = {}): LoadFigures {
  return {
    requests: 4_000,
    seconds: 4,
    totalRequests: 4_500,
    totalSeconds: 5,
    cpuSeconds: 0.1,
    latencyMs: { p50: 1, p90: 1, p99, p999: p99, max: 2 * p99 },
    sendLagP99Ms: 0.1,
    errors: 0,
    ...more,
  };
}

function measured(round: number, quiet: LoadFigures, swapped: LoadFigures): SwapMeasurement {
  return { job: "echo", round, quiet, swapped, swapMs: [800, 900] };
}

test("a ratio is made within a round, and both its median and its largest are told", () => {
  const cells = swapsOf([
    measured(1, figures(2), figures(3)),
    measured(2, figures(20), figures(40)),
    measured(3, figures(2), figures(5)),
  ]);
  expect(cells).toMatchObject([
    { job: "echo", p99: { median: 2, min: 1.5, max: 2.5 }, maxMs: 80, swaps: 6, swapMs: 850 },
  ]);
  expect(swapLine(cells)).toBe('{"swap":{"promised":3,"kept":true,"echo":{"p99":2,"worst":2.5}}}');
  expect(swapText(cells)).toMatch(/\| echo \| 6 .* 2\.00× \(1\.50×–2\.50×\) .* yes +\|/);
  expect(swapWarnings(cells)).toEqual([]);
});

test("one round above the promise breaks it", () => {
  const cells = swapsOf([
    measured(1, figures(2), figures(2)),
    measured(2, figures(2), figures(2)),
    measured(3, figures(2), figures(7)),
  ]);
  expect(swapLine(cells)).toContain('"kept":false');
  expect(swapWarnings(cells)).toEqual([expect.stringMatching(/up to 3\.50× its quiet value, never more than 3×/)]);
});

test("a request that failed breaks it, whatever the latencies are", () => {
  const cells = swapsOf([measured(1, figures(2), figures(2, { errors: 1 }))]);
  expect(swapLine(cells)).toContain('"kept":false');
  expect(swapWarnings(cells)).toEqual(["echo: 1 requests failed"]);
});

test("a machine that fails without a replacement tells nothing, and says so", () => {
  const cells = swapsOf([measured(1, figures(15_000, { errors: 7 }), figures(15_000))]);
  expect(swapLine(cells)).toContain('"kept":false');
  expect(swapWarnings(cells)).toEqual([expect.stringMatching(/7 requests failed without a replacement/)]);
});

test("a load generator that was late itself is named", () => {
  const [warning] = swapWarnings(swapsOf([measured(1, figures(2), figures(2, { sendLagP99Ms: 1.5 }))]));
  expect(warning).toMatch(/load generator itself was 1\.50 ms late/);
});
