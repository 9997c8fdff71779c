import { expect, test } from "vitest";
import { BenchError } from "../../../bench/bench-error.ts";
import { CURVE_NAMES, CURVES } from "../../../bench/growth/curves.ts";
import { CONCURRENCIES, JOB_NAMES } from "../../../bench/jobs.ts";
import { parsePlan } from "../../../bench/plan.ts";

test("a quick run measures the host beside the hand-written responder, not below five rounds", () => {
  const quick = parsePlan(["--quick"]);
  expect(quick).toMatchObject({ mode: "quick", jobs: ["echo", "kv"], contenders: ["host", "node"], rateFractions: [] });
  expect(quick?.measureMs).toBeLessThan(parsePlan([])?.measureMs ?? 0);
  expect(quick?.rounds).toBeGreaterThanOrEqual(5);
});

test("a quick run takes less than four minutes, a guard less than two", () => {
  const secondsOf = (args: string[]): number => {
    const plan = parsePlan(args);
    if (plan === undefined) throw new Error("no plan");
    const cells = plan.jobs.length * plan.contenders.length;
    const concurrencies = (plan.concurrencies ?? CONCURRENCIES).length;
    return (cells * (plan.settleMs + plan.rounds * concurrencies * (plan.warmUpMs + plan.measureMs))) / 1_000;
  };
  expect(secondsOf(["--quick"])).toBeLessThan(240);
  expect(secondsOf(["--guard"])).toBeLessThan(120);
});

test("a full run measures every job beside every contender that there is", () => {
  const full = parsePlan([]);
  expect(full?.jobs).toEqual(JOB_NAMES);
  expect(full?.contenders).toEqual(expect.arrayContaining(["host", "node", "go", "extism", "jco", "wasmtime"]));
  expect(full?.rateFractions).toEqual([0.25, 0.5, 0.75]);
});

test("contenders, the host's engine and rates can be chosen", () => {
  expect(parsePlan(["--contenders", "host-jco,node", "--engine", "linker", "--rates", "10,90"])).toMatchObject({
    contenders: ["host-jco", "node"],
    engine: "linker",
    rateFractions: [0.1, 0.9],
  });
});

test("the time of a measurement can be chosen, and the others follow", () => {
  expect(parsePlan(["--measure-ms", "400"])).toMatchObject({ measureMs: 400, warmUpMs: 100, settleMs: 800 });
});

test("jobs, concurrencies, rounds and store can be chosen", () => {
  expect(
    parsePlan(["--jobs", "kv", "--concurrency", "1, 8,1", "--rounds", "9", "--store", "sqlite", "--host", "other.js"]),
  ).toMatchObject({ jobs: ["kv"], concurrencies: [1, 8], rounds: 9, store: "sqlite", hostPath: "other.js" });
});

test("fairness is measured where it is asked for, beside all attacks or those named", () => {
  expect(parsePlan([])?.mode).toBe("full");
  expect(parsePlan(["--fairness"])).toMatchObject({ mode: "fairness", attacks: expect.arrayContaining(["spin"]) });
  expect(parsePlan(["--fairness", "--attacks", "log,spin", "--rounds", "3"])).toMatchObject({
    attacks: ["log", "spin"],
    rounds: 3,
  });
});

test("two processes of a plugin are compared with one where a plugin computes", () => {
  expect(parsePlan(["--scaling"])).toMatchObject({
    mode: "scaling",
    jobs: ["compute", "compute-long"],
    contenders: ["host-1-runner", "host-2-runners"],
    concurrencies: [16],
  });
});

test("growth is measured over all curves or those named", () => {
  expect(parsePlan(["--growth"])).toMatchObject({ mode: "growth", curves: CURVE_NAMES });
  expect(parsePlan(["--growth", "--curves", "memory,payload"])?.curves).toEqual(["memory", "payload"]);
});

test("a quick run over all curves has less than six minutes of load", () => {
  const plan = parsePlan(["--growth", "--quick"]);
  if (plan === undefined) throw new Error("no plan");
  const places = Object.values(CURVES).reduce((sum, { points, jobs }) => sum + points.length * jobs.length, 0);
  expect((places * (plan.settleMs + plan.rounds * (plan.warmUpMs + plan.measureMs))) / 1_000).toBeLessThan(360);
  expect(plan.rounds).toBeGreaterThanOrEqual(5);
});

test("a soak has a million requests, or as many as it is told", () => {
  expect(parsePlan(["--soak"])).toMatchObject({ mode: "soak", soakRequests: 1_000_000 });
  expect(parsePlan(["--soak", "20000", "--store", "sqlite"])).toMatchObject({ soakRequests: 20_000, store: "sqlite" });
  expect(parsePlan(["--soak", "--store", "sqlite"])).toMatchObject({ soakRequests: 1_000_000, store: "sqlite" });
});

test("swaps are measured where it is asked for, in three rounds or more", () => {
  expect(parsePlan(["--swap"])).toMatchObject({ mode: "swap", rounds: 5 });
  expect(parsePlan(["--swap", "--quick"])).toMatchObject({ mode: "swap", rounds: 3 });
});

test("a build is compared with another one in 25 rounds at 64 in flight", () => {
  expect(parsePlan(["--against", "old/main.js"])).toMatchObject({
    mode: "against",
    againstPath: "old/main.js",
    jobs: ["echo", "kv"],
    contenders: ["host"],
    concurrencies: [64],
    rounds: 25,
  });
  expect(parsePlan(["--against", "old/main.js", "--rounds", "7", "--jobs", "kv"])).toMatchObject({
    jobs: ["kv"],
    rounds: 7,
  });
});

test("help asks for no run", () => {
  expect(parsePlan(["--help"])).toBeUndefined();
});

test.each([
  [["--rounds", "4"]],
  [["--concurrency", "0"]],
  [["--concurrency", "1e3"]],
  [["--jobs", "ekho"]],
  [["--store", "redis"]],
  [["--fairness", "--attacks", "spinn"]],
  [["--fairness", "--rounds", "2"]],
  [["--attacks", "spin"]],
  [["--engine", "v8"]],
  [["--contenders", "rust"]],
  [["--rates", "0"]],
  [["--measure-ms", "1"]],
  [["--record"]],
  [["--guard", "--quick"]],
  [["--guard", "--contenders", "go"]],
  [["--against"]],
  [["--against", "main.js", "--guard"]],
  [["--against", "main.js", "--quick"]],
  [["--against", "main.js", "--contenders", "node"]],
  [["--curves", "memory"]],
  [["--growth", "--curves", "memories"]],
  [["--growth", "--rounds", "4"]],
  [["--growth", "--swap"]],
  [["--soak", "--growth"]],
  [["--soak", "10"]],
  [["--soak", "--quick"]],
  [["--soak", "1e6"]],
  [["--swap", "--rounds", "2"]],
  [["--scaling", "--guard"]],
  [["--fast"]],
  [["quick"]],
])("%j is refused with what to write instead", (args) => {
  expect(() => parsePlan(args)).toThrow(BenchError);
});
