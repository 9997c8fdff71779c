/**
 * A run that compares the host with another build of it, in turns on the same servers.
 *
 * @module
 */

import { BenchError } from "../bench-error.ts";
import { measureAll } from "../comparison-run.ts";
import { hostName, OTHER_BUILD } from "../contenders/host.ts";
import type { BenchPlan } from "../plan.ts";
import { REPLICA_ROLES } from "../replica.ts";
import { leftOutText, machineLine, reportText } from "../report.ts";
import { asJson, writeResults } from "../run-parts.ts";
import { isServerRole } from "../servers.ts";
import { againstText, compareBuilds, isSlower } from "./against.ts";

/**
 * Measures, prints and writes down everything; the last line is the throughput as a ratio to that of the other build.
 *
 * @throws {@link BenchError} when the host is slower
 */
export async function runAgainst(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  const measured = await measureAll(plan, signal);
  const { machine, measurements, summary, leftOut } = measured;
  if (leftOut.length > 0) throw new BenchError(leftOutText(leftOut));
  const builds = { own: hostName(plan.engine), other: OTHER_BUILD };
  const compared = compareBuilds(measurements, { ...builds, isServer: isServerRole, hostRole: REPLICA_ROLES.host });
  const text = [
    `${machineLine(machine)}; load generator in ${measured.generator}`,
    `${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    reportText(summary),
    `As ratios of ${builds.own} to ${builds.other}, round by round:`,
    againstText(compared),
  ].join("\n\n");
  const results = asJson({ plan, ...measured, compared });
  const folder = await writeResults(
    new Map([
      ["results.json", results],
      ["report.md", `${text}\n`],
    ]),
  );
  console.log(`${text}\n\nEverything measured: ${folder}`);
  const ratios = compared.map(({ place, throughput }) => [place, Number(throughput.median.toPrecision(3))]);
  console.log(JSON.stringify({ against: Object.fromEntries(ratios) }));
  const slower = compared.filter(isSlower).map(({ place }) => place);
  if (slower.length > 0) throw new BenchError(`The host is slower than ${plan.againstPath}: ${slower.join(", ")}`);
}
