import { CommanderError } from "commander";
import { expect, test } from "vitest";
import type { ComparisonPlan } from "../../../bench/comparison/comparison-plan.ts";
import { CURVE_NAMES, CURVES } from "../../../bench/growth/curves.ts";
import { CONCURRENCIES, JOB_NAMES } from "../../../bench/jobs/jobs.ts";
import { createProgram, type Starts } from "../../../bench/program.ts";

interface Plans {
  readonly [subcommand: string]: unknown;
}

/** Parses arguments. @returns the plan that would have been run, by its subcommand. */
async function planned(args: readonly string[]): Promise<Plans> {
  const plans: Record<string, unknown> = {};
  const keep = (name: string) => async (plan: unknown) => void (plans[name] = plan);
  const names = [
    "run",
    "guard",
    "against",
    "scaling",
    "fairness",
    "growth",
    "soak",
    "swap",
    "fleet",
    "registry",
    "wrpc",
    "engineCost",
  ];
  const program = createProgram(Object.fromEntries(names.map((name) => [name, keep(name)])) as unknown as Starts);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  }
  await program.parseAsync(args, { from: "user" });
  return plans;
}

async function planOf<Name extends keyof Starts>(name: Name, ...args: string[]): Promise<Parameters<Starts[Name]>[0]> {
  const plan = (await planned(args))[name];
  if (plan === undefined) throw new Error(`${args.join(" ")} does not start ${name}`);
  return plan as Parameters<Starts[Name]>[0];
}

function secondsOf(plan: ComparisonPlan): number {
  const cells = plan.jobs.length * plan.contenders.length;
  const concurrencies = (plan.concurrencies ?? CONCURRENCIES).length;
  return (cells * (plan.settleMs + plan.rounds * concurrencies * (plan.warmUpMs + plan.measureMs))) / 1_000;
}

test("a quick run measures the host beside the hand-written responder, not below five rounds", async () => {
  const quick = await planOf("run", "run", "--quick");
  expect(quick).toMatchObject({ jobs: ["echo", "kv"], contenders: ["host", "node"], rateFractions: [] });
  expect(quick.measureMs).toBeLessThan((await planOf("run", "run")).measureMs);
  expect(quick.rounds).toBeGreaterThanOrEqual(5);
});

test("a quick run takes less than four minutes, a guard less than three", async () => {
  expect(secondsOf(await planOf("run", "run", "--quick"))).toBeLessThan(240);
  expect(secondsOf(await planOf("guard", "guard"))).toBeLessThan(180);
});

test("a full run measures every job beside every contender that there is", async () => {
  const full = await planOf("run", "run");
  expect(full.jobs).toEqual(JOB_NAMES);
  expect(full.contenders).toEqual(expect.arrayContaining(["host", "node", "go", "extism", "jco", "wasmtime"]));
  expect(full.rateFractions).toEqual([0.25, 0.5, 0.75]);
  expect(full.publishAs).toBeUndefined();
});

test("contenders, the host's engine and rates can be chosen", async () => {
  const args = ["run", "--contenders", "host-jco,node", "--engine", "linker", "--rates", "10,90"];
  expect(await planOf("run", ...args)).toMatchObject({
    contenders: ["host-jco", "node"],
    engine: "linker",
    rateFractions: [0.1, 0.9],
  });
});

test("the time of a measurement can be chosen, and the others follow", async () => {
  expect(await planOf("run", "run", "--measure-ms", "400")).toMatchObject({
    measureMs: 400,
    warmUpMs: 100,
    settleMs: 800,
  });
});

test("jobs, concurrencies, rounds, store and build can be chosen", async () => {
  const args = ["--jobs", "kv", "--concurrency", "1, 8,1", "--rounds", "9", "--store", "sqlite", "--host", "other.js"];
  expect(await planOf("run", "run", ...args)).toMatchObject({
    jobs: ["kv"],
    concurrencies: [1, 8],
    rounds: 9,
    store: "sqlite",
    hostPath: "other.js",
  });
});

test("the figures of a run are published as the part that is named", async () => {
  expect(await planOf("run", "run", "--publish", "languages")).toMatchObject({ publishAs: "languages" });
  expect(await planOf("soak", "soak", "--publish")).toMatchObject({ publishes: true });
});

test("a guard allows more rounds than it plans, and never fewer", async () => {
  expect(await planOf("guard", "guard")).toMatchObject({ rounds: 11, maxRounds: 25, records: false });
  expect(await planOf("guard", "guard", "--rounds", "31", "--record")).toMatchObject({ maxRounds: 31, records: true });
});

test("fairness is measured beside all attacks or those named", async () => {
  expect(await planOf("fairness", "fairness")).toMatchObject({ attacks: expect.arrayContaining(["spin"]), rounds: 5 });
  expect(await planOf("fairness", "fairness", "--attacks", "log,spin", "--rounds", "3")).toMatchObject({
    attacks: ["log", "spin"],
    rounds: 3,
  });
});

test("two processes of a plugin are compared with one where a plugin computes", async () => {
  expect(await planOf("scaling", "scaling")).toMatchObject({
    jobs: ["compute", "compute-long"],
    contenders: ["host-1-runner", "host-2-runners"],
    concurrencies: [16],
  });
});

test("growth is measured over all curves or those named", async () => {
  expect(await planOf("growth", "growth")).toMatchObject({ curves: CURVE_NAMES });
  expect((await planOf("growth", "growth", "--curves", "memory,payload")).curves).toEqual(["memory", "payload"]);
});

test("a quick run over all curves has less than six minutes of load", async () => {
  const plan = await planOf("growth", "growth", "--quick");
  const places = Object.values(CURVES).reduce((sum, { points, jobs }) => sum + points.length * jobs.length, 0);
  expect((places * (plan.settleMs + plan.rounds * (plan.warmUpMs + plan.measureMs))) / 1_000).toBeLessThan(360);
  expect(plan.rounds).toBeGreaterThanOrEqual(5);
});

test("a soak has a million requests, or as many as it is told", async () => {
  expect(await planOf("soak", "soak")).toMatchObject({ requests: 1_000_000, store: "mongodb" });
  expect(await planOf("soak", "soak", "20000", "--store", "sqlite")).toMatchObject({
    requests: 20_000,
    store: "sqlite",
  });
});

test("swaps are measured in five rounds, quick ones in three", async () => {
  expect(await planOf("swap", "swap")).toMatchObject({ rounds: 5 });
  expect(await planOf("swap", "swap", "--quick")).toMatchObject({ rounds: 3 });
});

test("a build is compared with another one in 25 rounds at 64 in flight", async () => {
  expect(await planOf("against", "against", "old/main.js")).toMatchObject({
    otherPath: "old/main.js",
    jobs: ["echo", "kv"],
    contenders: ["host"],
    concurrencies: [64],
    rounds: 25,
  });
  expect(await planOf("against", "against", "old/main.js", "--rounds", "7", "--jobs", "kv")).toMatchObject({
    jobs: ["kv"],
    rounds: 7,
  });
});

test("a fleet has the sizes and the components that it is told", async () => {
  expect(await planOf("fleet", "fleet")).toMatchObject({ sizes: [1, 100, 10_000], components: 20 });
  expect(await planOf("fleet", "fleet", "--plugins", "5,7", "--components", "2")).toMatchObject({
    sizes: [5, 7],
    components: 2,
  });
});

test("starts from a registry are measured as often, and with as many plugins, as it is told", async () => {
  expect(await planOf("registry", "registry")).toMatchObject({ rounds: 5, plugins: 100, components: 100 });
  const args = ["registry", "--rounds", "3", "--plugins", "7", "--components", "2"];
  expect(await planOf("registry", ...args)).toMatchObject({ rounds: 3, plugins: 7, components: 2 });
});

test("calls over wRPC are measured over both transports at 64 in flight, by a caller that costs little, or as it is told", async () => {
  expect(await planOf("wrpc", "wrpc")).toMatchObject({ transports: ["tcp", "nats"], caller: "bytes", inFlight: 64 });
  const args = ["wrpc", "--transports", "nats", "--caller", "bindings", "--in-flight", "8", "--rounds", "5"];
  expect(await planOf("wrpc", ...args)).toMatchObject({
    transports: ["nats"],
    caller: "bindings",
    inFlight: 8,
    rounds: 5,
  });
});

test("the cost of both engines is measured, or that of the one named", async () => {
  expect(await planOf("engineCost", "engine-cost", "echo.wasm")).toMatchObject({
    component: "echo.wasm",
    method: "echo",
    engines: ["jco", "linker"],
  });
  expect(await planOf("engineCost", "engine-cost", "x.wasm", "say", "--engine", "jco")).toMatchObject({
    method: "say",
    engines: ["jco"],
  });
});

test.each([
  "run",
  "guard",
  "against",
  "scaling",
  "fairness",
  "growth",
  "soak",
  "swap",
  "fleet",
  "registry",
  "wrpc",
  "engine-cost",
])("%s explains itself and measures nothing", async (name) => {
  await expect(planned([name, "--help"])).rejects.toMatchObject({ code: "commander.helpDisplayed", exitCode: 0 });
});

test.each([
  [["run", "--rounds", "4"]],
  [["run", "--concurrency", "0"]],
  [["run", "--concurrency", "1e3"]],
  [["run", "--jobs", "ekho"]],
  [["run", "--store", "redis"]],
  [["run", "--engine", "v8"]],
  [["run", "--contenders", "rust"]],
  [["run", "--rates", "0"]],
  [["run", "--measure-ms", "1"]],
  [["run", "--publish"]],
  [["run", "--publish", "everything"]],
  [["run", "--record"]],
  [["run", "--attacks", "spin"]],
  [["run", "--fast"]],
  [["run", "quick"]],
  [["fairness", "--attacks", "spinn"]],
  [["fairness", "--rounds", "2"]],
  [["guard", "--quick"]],
  [["guard", "--contenders", "go"]],
  [["against"]],
  [["against", "main.js", "--quick"]],
  [["against", "main.js", "--contenders", "node"]],
  [["growth", "--curves", "memories"]],
  [["growth", "--rounds", "4"]],
  [["soak", "10"]],
  [["soak", "1e6"]],
  [["soak", "--quick"]],
  [["swap", "--rounds", "2"]],
  [["scaling", "--rounds", "4"]],
  [["fleet", "--plugins", "0"]],
  [["registry", "--rounds", "2"]],
  [["fleet", "--components", "none"]],
  [["engine-cost"]],
  [["engine-cost", "x.wasm", "--engine", "v8"]],
  [["quick"]],
  [["--guard"]],
  [[]],
])("%j is refused, and nothing is measured", async (args) => {
  const refusal: unknown = await planned(args).then(
    (plans) => plans,
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(CommanderError);
  expect(refusal).not.toMatchObject({ exitCode: 0 });
});
