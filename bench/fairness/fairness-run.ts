/**
 * A run that measures fairness: good plugins beside each attack.
 *
 * @module
 */

import { figureOf, publish } from "../published/publish.ts";
import { machineLine } from "../setup/machine.ts";
import { JOBS } from "../jobs/jobs.ts";
import type { FairnessPlan } from "./command.ts";
import { openRun, setupLine } from "../setup/open-run.ts";
import { asJson, report, writeResults } from "../setup/results.ts";
import { fairnessLine, fairnessOf, GOOD_JOBS } from "./fairness.ts";
import { fairnessText, fairnessWarnings } from "./fairness-report.ts";
import { measureFairness } from "./rounds.ts";

/** Measures, prints and writes down everything; the last line is the ratios of p99. */
export async function runFairness(plan: FairnessPlan, signal: AbortSignal): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const run = await openRun(
    plan,
    owned,
    GOOD_JOBS.map((name) => JOBS[name]),
  );
  const { machine, generator, mainPath, folder, servers } = run;
  const measurements = await measureFairness({ timing: plan, mainPath, servers, generator, folder, report, signal });
  const cells = fairnessOf(measurements);
  const results = { plan, machine, generator: generator.kind, cells, measurements };
  const path = await writeResults(new Map([["results.json", asJson(results)]]));
  if (plan.publishes) {
    const rows = cells.map(({ attack, job, quietP99Ms, attackedP99Ms, p99 }) => ({
      attack,
      job,
      quietP99Ms: figureOf(quietP99Ms),
      attackedP99Ms: figureOf(attackedP99Ms),
      ratio: figureOf(p99),
    }));
    await publish("fairness", { machine: machineLine(machine), rows });
  }

  console.log(setupLine(run, plan));
  console.log(`${plan.rounds} rounds of ${plan.measureMs} ms each: median (smallest–largest)\n`);
  console.log(`${fairnessText(cells)}\n`);
  for (const warning of fairnessWarnings(cells)) console.log(`Beware: ${warning}.`);
  console.log(`Everything measured: ${path}`);
  console.log(fairnessLine(cells));
}
