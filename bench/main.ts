/**
 * `npm run bench`: measures this host beside a hand-written responder doing the same work, on real servers, in one run.
 *
 * Tables go to stdout, progress to stderr, everything measured to `bench/results/` as JSON; the last line of stdout is
 * one line of JSON with the throughput ratios. A wrong reply fails the run. With `--fairness` it measures good plugins
 * beside a hostile one on the same replica instead, and the last line has the ratios of their p99.
 *
 * @module
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildHost } from "../scripts/build/host.ts";
import { CommandError } from "../scripts/lib/command.ts";
import { ROOT } from "../scripts/lib/project.ts";
import { ServerMissingError } from "../scripts/servers/binaries.ts";
import { BenchError } from "./bench-error.ts";
import type { AttackName } from "./fairness/attacks.ts";
import { type FairnessCell, fairnessLine, type FairnessMeasurement, fairnessOf } from "./fairness/fairness.ts";
import { fairnessText, fairnessWarnings } from "./fairness/fairness-report.ts";
import { measureFairness } from "./fairness/rounds.ts";
import { HAND_WRITTEN_NAME, handWrittenContender } from "./contenders/hand-written.ts";
import { HOST_NAME, hostContender } from "./contenders/host.ts";
import { openGenerator } from "./generator.ts";
import { JOBS } from "./jobs.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { type Measurement, ratioLine, type Summary, summarize } from "./measurement.ts";
import { type BenchPlan, parsePlan, USAGE } from "./plan.ts";
import { machineLine, reportText, warnings } from "./report.ts";
import { measureJob } from "./rounds.ts";
import { isServerRole, startServers } from "./servers.ts";

const RESULTS_FOLDER = fileURLToPath(new URL("results/", import.meta.url));
const INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());

try {
  const plan = parsePlan(process.argv.slice(2));
  if (plan === undefined) console.log(USAGE);
  else if (plan.attacks !== undefined) await benchFairness(plan, plan.attacks);
  else await bench(plan);
} catch (error) {
  if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
  else if (error instanceof BenchError || error instanceof CommandError || error instanceof ServerMissingError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}

async function bench(plan: BenchPlan): Promise<void> {
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const mainPath = plan.hostPath === undefined ? await builtHost() : resolve(plan.hostPath);
  const measurements = await measureAll(plan, mainPath, generator);
  const summary = summarize(measurements, HAND_WRITTEN_NAME, isServerRole);
  const path = await writeResults({ plan, machine, generator: generator.kind, summary, measurements });

  console.log(`${machineLine(machine)}; load generator in ${generator.kind === "go" ? "Go" : "Node"}`);
  console.log(`${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)\n`);
  console.log(`${reportText(summary)}\n`);
  for (const warning of warnings(summary.cells)) console.log(`Beware: ${warning}.`);
  console.log(`Everything measured: ${path}`);
  console.log(ratioLine(summary.comparisons, HOST_NAME));
}

async function benchFairness(plan: BenchPlan, attacks: readonly AttackName[]): Promise<void> {
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const mainPath = plan.hostPath === undefined ? await builtHost() : resolve(plan.hostPath);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const servers = await startServers(plan.store, folder, owned, report);
  const timing = { ...plan, attacks };
  const { signal } = interruption;
  const measurements = await measureFairness({ timing, mainPath, servers, generator, folder, report, signal });
  const summary = fairnessOf(measurements);
  const path = await writeResults({ plan, machine, generator: generator.kind, summary, measurements });

  console.log(`${machineLine(machine)}; store ${plan.store}`);
  console.log(`${plan.rounds} rounds of ${plan.measureMs} ms each: median (smallest–largest)\n`);
  console.log(`${fairnessText(summary)}\n`);
  for (const warning of fairnessWarnings(summary)) console.log(`Beware: ${warning}.`);
  console.log(`Everything measured: ${path}`);
  console.log(fairnessLine(summary));
}

async function measureAll(
  plan: BenchPlan,
  mainPath: string,
  generator: Awaited<ReturnType<typeof openGenerator>>,
): Promise<Measurement[]> {
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const servers = await startServers(plan.store, folder, owned, report);
  const contenders = [hostContender(mainPath), handWrittenContender];
  const measurements: Measurement[] = [];
  for (const name of plan.jobs) {
    const setting = { plan, servers, generator, folder, report, signal: interruption.signal };
    measurements.push(...(await measureJob(JOBS[name], contenders, setting)));
  }
  return measurements;
}

async function openFolder(owned: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "network-host-bench-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function builtHost(): Promise<string> {
  await buildHost();
  return join(ROOT, "dist/main.js");
}

/** Everything that one run leaves behind. */
interface Results {
  readonly plan: BenchPlan;
  readonly machine: Machine;
  readonly generator: "go" | "node";
  readonly summary: Summary | readonly FairnessCell[];
  readonly measurements: readonly Measurement[] | readonly FairnessMeasurement[];
}

async function writeResults(results: Results): Promise<string> {
  await mkdir(RESULTS_FOLDER, { recursive: true });
  const path = join(RESULTS_FOLDER, `${new Date().toISOString().replaceAll(/[:.]/g, "-")}.json`);
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`);
  return path;
}

function report(line: string): void {
  console.error(line);
}
