import { expect, test } from "vitest";
import { BenchError, RefusedError } from "../../../bench/bench-error.ts";
import type { Competitor } from "../../../bench/comparison/competitors.ts";
import { isRefusal } from "../../../bench/generator/generator.ts";
import { JOBS } from "../../../bench/jobs/jobs.ts";
import type { LoadFigures, LoadSpec } from "../../../bench/jobs/load-spec.ts";
import type { ComparisonPlan } from "../../../bench/comparison/comparison-plan.ts";
import { measureRounds } from "../../../bench/comparison/rounds.ts";
import type { RoundsSetting } from "../../../bench/comparison/rounds-setting.ts";

const FIGURES: LoadFigures = {
  requests: 100,
  seconds: 1,
  totalRequests: 100,
  totalSeconds: 1,
  cpuSeconds: 0.1,
  latencyMs: { p50: 1, p90: 1, p99: 1, p999: 1, max: 1 },
  errors: 0,
};

function competitor(name: string): Competitor {
  return {
    name,
    target: { subject: name },
    running: { subject: name, processes: async () => [], [Symbol.asyncDispose]: async () => undefined },
  };
}

/** @param run stands in for the load generator */
function settingWith(run: (spec: LoadSpec) => LoadFigures): RoundsSetting {
  const plan: ComparisonPlan = {
    engine: "auto",
    store: "sqlite",
    generator: "go",
    hostPath: undefined,
    rounds: 5,
    settleMs: 400,
    warmUpMs: 50,
    measureMs: 200,
    jobs: ["echo"],
    contenders: ["host", "node"],
    concurrencies: [16],
    rateFractions: [],
  };
  const measure = async (spec: LoadSpec): Promise<LoadFigures> => run(spec);
  return {
    plan,
    generator: { kind: "go", run: measure, count: measure },
    servers: {
      natsUrl: "nats://127.0.0.1:1",
      nats: { role: "nats-server", pid: process.pid },
      store: { kind: "sqlite", pathOf: (database) => database },
      standalone: undefined,
    },
    folder: "",
    report: () => undefined,
    signal: new AbortController().signal,
  };
}

const COMPETITORS = [competitor("host"), competitor("node")];

test("in every second round the contenders are measured in the opposite order", async () => {
  const order: string[] = [];
  const setting = settingWith(({ loop }) => {
    order.push(loop.subject);
    return FIGURES;
  });
  const { measurements } = await measureRounds(JOBS.echo, COMPETITORS, setting);
  expect(order.slice(0, 6)).toEqual(["host", "node", "node", "host", "host", "node"]);
  expect(measurements).toHaveLength(10);
});

test("a plugin that may get a further process has load for long enough before each measurement", async () => {
  const warmUps: (number | undefined)[] = [];
  const setting = settingWith(({ loop }) => {
    warmUps.push(loop.warmUpMs);
    return FIGURES;
  });
  await measureRounds(JOBS.compute, COMPETITORS, setting);
  expect(new Set(warmUps)).toEqual(new Set([2_000]));
  warmUps.length = 0;
  await measureRounds(JOBS.echo, COMPETITORS, setting);
  expect(new Set(warmUps)).toEqual(new Set([setting.plan.warmUpMs]));
});

test.each([
  { enough: 5, rounds: 5 },
  { enough: 6, rounds: 7 },
  { enough: 99, rounds: 9 },
])("further rounds come in twos until $enough suffice, and are no more than may be", async ({ enough, rounds }) => {
  const setting = settingWith(() => FIGURES);
  const { measurements } = await measureRounds(JOBS.echo, COMPETITORS, {
    ...setting,
    more: { atMost: 9, suffices: (measured) => measured.length / COMPETITORS.length >= enough },
  });
  expect(measurements.map(({ round }) => round).at(-1)).toBe(rounds);
  expect(measurements).toHaveLength(rounds * COMPETITORS.length);
});

test("who answers with errors in one round is left out of all of them, with the reason", async () => {
  let calls = 0;
  const setting = settingWith(({ loop }) => {
    if (loop.subject === "host" && ++calls === 3) throw new RefusedError("too much to do");
    return FIGURES;
  });
  const { measurements, leftOut } = await measureRounds(JOBS.echo, COMPETITORS, setting);
  expect(new Set(measurements.map(({ contender }) => contender))).toEqual(new Set(["node"]));
  expect(leftOut).toEqual([{ what: "host at echo", reason: "at 16 in flight too much to do" }]);
});

test("a wrong reply fails the run", async () => {
  const setting = settingWith(() => {
    throw new BenchError("wrong");
  });
  await expect(measureRounds(JOBS.echo, COMPETITORS, setting)).rejects.toThrow("wrong");
});

test("an error's reply is told from a wrong one", () => {
  expect(isRefusal("the reply is the error overloaded: The replica is busy.")).toBe(true);
  expect(isRefusal('the reply to "1" is "2"')).toBe(false);
});
