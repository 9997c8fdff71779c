import { expect, test } from "vitest";
import { ATTACK_NAMES, ATTACKS } from "../../../bench/fairness/attacks.ts";
import { fairnessLine, type FairnessMeasurement, fairnessOf } from "../../../bench/fairness/fairness.ts";
import { fairnessText, fairnessWarnings } from "../../../bench/fairness/fairness-report.ts";
import type { LoadFigures } from "../../../bench/jobs/load-spec.ts";

function figures(p50: number, p99: number, more: Partial<LoadFigures> = {}): LoadFigures {
  return {
    requests: 400,
    seconds: 4,
    totalRequests: 500,
    totalSeconds: 5,
    cpuSeconds: 0.1,
    latencyMs: { p50, p90: p99, p99, p999: p99, max: p99 },
    sendLagP99Ms: 0.1,
    errors: 0,
    ...more,
  };
}

function measured(
  round: number,
  job: FairnessMeasurement["job"],
  quiet: LoadFigures,
  attacked: LoadFigures,
): FairnessMeasurement {
  return { attack: "spin", job, round, quiet, attacked, replies: { ok: 1 }, hostCores: { host: 0.1, runners: 1 } };
}

test("a ratio is made within a round, and its median is taken then", () => {
  // The machine was five times as slow in the second round, for both.
  const [cell] = fairnessOf([
    measured(1, "echo", figures(1, 10), figures(2, 15)),
    measured(2, "echo", figures(5, 50), figures(5, 80)),
    measured(3, "echo", figures(1, 10), figures(3, 17)),
  ]);
  expect(cell).toMatchObject({
    attack: "spin",
    job: "echo",
    p50: { median: 2, min: 1, max: 3 },
    p99: { median: 1.6, min: 1.5, max: 1.7 },
  });
});

test("the last line has the worse of the good plugins for each attack", () => {
  const cells = fairnessOf([
    measured(1, "echo", figures(1, 10), figures(1, 12)),
    measured(1, "kv", figures(1, 10), figures(1, 19.999)),
  ]);
  expect(fairnessLine(cells)).toBe('{"fairness":{"spin":2}}');
});

test("a broken promise, refused requests and a late generator are named", () => {
  const cells = fairnessOf([
    measured(1, "echo", figures(1, 10), figures(1, 21)),
    measured(1, "kv", figures(1, 10), figures(1, 15, { errors: 3, sendLagP99Ms: 14 })),
  ]);
  const [broken, refused, late, ...rest] = fairnessWarnings(cells);
  expect(broken).toMatch(/echo beside spin: p99 is 2\.10× .* at most 2×/);
  expect(refused).toMatch(/kv beside spin: 3 of its requests/);
  expect(late).toMatch(/kv beside spin: the load generator itself was 14\.0 ms late/);
  expect(rest).toEqual([]);
  expect(fairnessWarnings(fairnessOf([measured(1, "echo", figures(1, 10), figures(1, 20))]))).toEqual([]);
});

test("the report says what each attack is", () => {
  const text = fairnessText(fairnessOf([measured(1, "echo", figures(1, 10), figures(1, 20))]));
  expect(text).toContain(`- spin: ${ATTACKS.spin.summary}`);
  expect(text).toContain("2.00× (2.00×–2.00×)");
});

test("attacks stand under their own names and keep to what a plugin may have in flight", () => {
  for (const name of ATTACK_NAMES) {
    expect(ATTACKS[name].name).toBe(name);
    expect(ATTACKS[name].concurrency).toBeLessThanOrEqual(256);
  }
});
