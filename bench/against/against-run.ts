/**
 * A run that compares the host with another build of it, in turns on the same servers.
 *
 * @module
 */

import { resolve } from "node:path";
import { BenchError } from "../bench-error.ts";
import { measureAll } from "../comparison/measure-all.ts";
import { hostName, OTHER_BUILD, otherBuild } from "../contenders/host.ts";
import type { AgainstPlan } from "./command.ts";
import { REPLICA_ROLES } from "../replicas/replica.ts";
import { leftOutText, reportText } from "../comparison/report.ts";
import { machineLine } from "../setup/machine.ts";
import { writeRun } from "../setup/results.ts";
import { isServerRole } from "../servers/servers.ts";
import { againstText, compareBuilds, isSlower } from "./against.ts";

/**
 * Measures, prints and writes down everything; the last line is the throughput as a ratio to that of the other build.
 *
 * @throws {@link BenchError} when the host is slower
 */
export async function runAgainst(plan: AgainstPlan, signal: AbortSignal): Promise<void> {
  const measured = await measureAll(plan, signal, { others: [otherBuild(resolve(plan.otherPath), plan.engine)] });
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
  const folder = await writeRun({ plan, ...measured, compared }, text);
  console.log(`${text}\n\nEverything measured: ${folder}`);
  const ratios = compared.map(({ place, throughput }) => [place, Number(throughput.median.toPrecision(3))]);
  console.log(JSON.stringify({ against: Object.fromEntries(ratios) }));
  const slower = compared.filter(isSlower).map(({ place }) => place);
  if (slower.length > 0) throw new BenchError(`The host is slower than ${plan.otherPath}: ${slower.join(", ")}`);
}
