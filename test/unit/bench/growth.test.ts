import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CURVE_NAMES, CURVES } from "../../../bench/growth/curves.ts";
import { cliffsOf, type GrowthCell, type GrowthMeasurement, growthOf } from "../../../bench/growth/growth.ts";
import { growthCharts } from "../../../bench/growth/growth-charts.ts";
import { growthLine, growthText, growthWarnings } from "../../../bench/growth/growth-report.ts";
import { memoryPluginText, writeMemoryPlugin } from "../../../bench/growth/memory-plugin.ts";
import { JOBS } from "../../../bench/jobs/jobs.ts";
import { readComponent } from "../../../src/component/read-component.ts";
import { Scope } from "../../../src/component/scope.ts";

const MIB = 2 ** 20;

function measured(x: number, round: number, more: Partial<GrowthMeasurement> = {}): GrowthMeasurement {
  return {
    curve: "plugins",
    job: "echo",
    x,
    round,
    requests: 1_000,
    requestsPerSecond: 1_000,
    latencyMs: { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 },
    generatorLoad: 0.1,
    processes: [
      { role: "host", cpuSecondsPer10k: 0.3, rssBytes: 90 * MIB, peakBytes: 100 * MIB },
      { role: "runner", cpuSecondsPer10k: 0.2, rssBytes: 60 * MIB, peakBytes: 70 * MIB },
    ],
    ...more,
  };
}

function withCost(x: number, cpuSecondsPer10k: number, peakBytes: number): GrowthMeasurement {
  return measured(x, 1, { processes: [{ role: "host", cpuSecondsPer10k, rssBytes: 1, peakBytes }] });
}

test("a point's figures are medians over the rounds, its CPU time that of hosts and runners", () => {
  const rates = [900, 5_000, 1_100];
  const [cell] = growthOf(rates.map((requestsPerSecond, round) => measured(10, round, { requestsPerSecond })));
  expect(cell).toMatchObject({
    curve: "plugins",
    job: "echo",
    x: 10,
    requestsPerSecond: { median: 1_100, max: 5_000 },
  });
  expect(cell?.cpuMicros?.median).toBeCloseTo(50);
  expect(cell?.peakBytes).toMatchObject({ host: { median: 100 * MIB }, runner: { median: 70 * MIB } });
});

test("a cliff in time, in CPU time and in memory is found, with its curve and job", () => {
  const slow = [measured(1, 1), measured(10, 1), measured(100, 1, { requestsPerSecond: 400 })];
  expect(cliffsOf(growthOf(slow))).toEqual([
    { curve: "plugins", job: "echo", cost: "time", from: 10, to: 100, factor: 2.5 },
  ]);
  const costly = [withCost(1, 0.1, MIB), withCost(10, 0.3, MIB), withCost(100, 0.3, MIB)];
  expect(cliffsOf(growthOf(costly))).toMatchObject([{ cost: "CPU time", from: 1, to: 10 }]);
  const large = [withCost(1, 0.1, MIB), withCost(10, 0.1, 50 * MIB), withCost(100, 0.1, 51 * MIB)];
  expect(cliffsOf(growthOf(large))).toMatchObject([{ cost: "memory", from: 1, to: 10 }]);
});

test("memory may follow a straight line over what grows", () => {
  const cells = growthOf([1, 10, 100, 1_000].map((x) => withCost(x, 0.1, 100 * MIB + x * MIB)));
  expect(cliffsOf(cells)).toEqual([]);
});

test("where the system tells no CPU time and no memory, time is still judged", () => {
  const cells = growthOf([measured(1, 1, { processes: [] }), measured(10, 1, { processes: [], requestsPerSecond: 1 })]);
  expect(cliffsOf(cells)).toMatchObject([{ cost: "time" }]);
  expect(growthText({ cells, cliffs: [], refused: [] })).toContain("–");
});

test("lines of different jobs are judged apart", () => {
  const cells = growthOf([measured(1, 1), measured(10, 1, { job: "kv", requestsPerSecond: 1 })]);
  expect(cliffsOf(cells)).toEqual([]);
});

function textOf(cells: readonly GrowthCell[]): string {
  return growthText({ cells, cliffs: cliffsOf(cells), refused: [] });
}

test("a point that answered with errors is named, and there is no good verdict", () => {
  const refused = [{ curve: "memory", job: "echo", x: 64 * MIB, reason: "too much" } as const];
  const growth = { cells: growthOf([measured(MIB, 1, { curve: "memory" })]), cliffs: [], refused };
  expect(growthText(growth)).toContain("REFUSED: echo at 64.0: too much");
  expect(growthText(growth)).not.toContain("No cliff");
  expect(growthLine(growth)).toContain('"refused":[{"curve":"memory","job":"echo","x":67108864}]');
});

test("the report has a table and a verdict for each curve", () => {
  const flat = growthOf([measured(1, 1), measured(10, 1)]);
  expect(textOf(flat)).toMatch(/## plugins: [^]*\| 10\.0 +\| echo \| 1,000 [^]*No cliff/);
  const steep = growthOf([measured(1, 1), measured(10, 1, { requestsPerSecond: 250 })]);
  expect(textOf(steep)).toContain("CLIFF: echo, time: from 1.00 to 10.0 by 4.00×");
});

test("the last line has every point and the cliffs", () => {
  const cells = growthOf([measured(10, 1, { requestsPerSecond: 250 }), measured(1, 1)]);
  expect(JSON.parse(growthLine({ cells, cliffs: cliffsOf(cells), refused: [] }))).toEqual({
    growth: {
      factor: 2,
      cliffs: [{ curve: "plugins", job: "echo", cost: "time", from: 1, to: 10, factor: 4 }],
      refused: [],
      curves: {
        "plugins echo": [
          { x: 1, requestsPerSecond: 1_000, p50Ms: 1, p99Ms: 3, cpuMicros: 50, peakMib: 170 },
          { x: 10, requestsPerSecond: 250, p50Ms: 1, p99Ms: 3, cpuMicros: 50, peakMib: 170 },
        ],
      },
    },
  });
});

test("a busy load generator is named", () => {
  expect(growthWarnings(growthOf([measured(1, 1)]))).toEqual([]);
  expect(growthWarnings(growthOf([measured(1, 1, { generatorLoad: 0.9 })]))[0]).toMatch(/plugins echo at 1: .* 90 %/);
});

test("a curve has its charts, without what a logarithmic axis cannot show", () => {
  const payload = [0, 64, 1_024].map((x) => measured(x, 1, { curve: "payload" }));
  const charts = growthCharts(growthOf(payload));
  expect([...charts.keys()]).toEqual([
    "growth-payload-throughput.svg",
    "growth-payload-latency.svg",
    "growth-payload-cpu.svg",
  ]);
  expect(charts.get("growth-payload-throughput.svg")?.match(/<circle/g)).toHaveLength(2);
  expect([...charts.values()].join("")).not.toMatch(/NaN|undefined|Infinity/);
  expect(growthCharts(growthOf([measured(1, 1)])).size).toBe(0);
});

test("the curves reach as far as they are meant to, with as many keys as requests in flight", () => {
  const ends = Object.fromEntries(
    CURVE_NAMES.map((name) => [name, [Math.min(...CURVES[name].points), Math.max(...CURVES[name].points)]]),
  );
  expect(ends).toEqual({
    concurrency: [1, 512],
    payload: [0, 1_000_000],
    plugins: [1, 10_000],
    memory: [64 * 1024, 64 * MIB],
    replicas: [1, 4],
  });
  for (const { jobs, points, inFlight } of Object.values(CURVES)) {
    for (const { load } of jobs.map((job) => JOBS[job])) {
      if (load.kind === "kv") expect(load.keys).toBeGreaterThanOrEqual(Math.max(...points.map(inFlight)));
    }
  }
});

test("the template of a plugin's memory is filled in everywhere, for whole pages only", async () => {
  const template = await readFile(new URL("../../../bench/growth/memory.wat", import.meta.url), "utf8");
  const text = memoryPluginText(template, 4 * MIB);
  expect(text).toContain('(memory (export "memory") 64)');
  expect(text).toContain(`(i32.const ${4 * MIB})`);
  expect(text).not.toContain("{{");
  expect(() => memoryPluginText(template, 100_000)).toThrow(RangeError);
  expect(() => memoryPluginText(template, 0)).toThrow(RangeError);
});

test("a plugin of the template is a component that exports the handler", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bench-growth-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const component = readComponent(await readFile(await writeMemoryPlugin(256 * 1024, folder)));
  expect(Scope.of(component).exports.map(({ name }) => name)).toEqual(["local:network-host/handler@1.0.0"]);
});
