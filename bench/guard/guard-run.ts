/**
 * The guard: a short run on a few jobs, whose ratios are recorded or held against the record.
 *
 * @module
 */

import { BenchError } from "../bench-error.ts";
import { measureAll } from "../comparison/measure-all.ts";
import { NODE_NAME } from "../contenders/hand-written.ts";
import { hostName } from "../contenders/host.ts";
import { guardText, judgeRatios, mediansOf, readRecord, RECORD_FILE, writeRecord } from "./guard.ts";
import { type Measurement, ratioLine, throughputRatios } from "../figures/measurement.ts";
import type { GuardPlan } from "./command.ts";
import { leftOutText, reportText } from "../comparison/report.ts";
import { machineLine } from "../setup/machine.ts";

/** @throws {@link BenchError} when the host has fallen behind its record */
export async function runGuard(plan: GuardPlan, signal: AbortSignal): Promise<void> {
  // Before minutes are spent.
  const record = plan.records ? undefined : await readRecord();
  const host = hostName(plan.engine);
  const ratiosOf = (measurements: readonly Measurement[]): ReadonlyMap<string, readonly number[]> =>
    throughputRatios(measurements, host, NODE_NAME);
  const isDecided = (measurements: readonly Measurement[]): boolean =>
    record === undefined || judgeRatios(ratiosOf(measurements), record).every(({ verdict }) => verdict !== "open");
  const { machine, measurements, summary, leftOut } = await measureAll(plan, signal, {
    more: { atMost: plan.maxRounds, suffices: isDecided },
  });
  if (leftOut.length > 0) throw new BenchError(leftOutText(leftOut));
  console.log(`${machineLine(machine)}\n\n${reportText(summary)}\n`);
  const ratios = ratiosOf(measurements);
  if (record === undefined) {
    await writeRecord({ machine: `${machine.cores} × ${machine.cpu}, ${machine.system}`, ratios: mediansOf(ratios) });
    console.log(`Written: ${RECORD_FILE}`);
    console.log(ratioLine(summary.comparisons, host));
    return;
  }
  const judged = judgeRatios(ratios, record);
  console.log(`${guardText(judged)}\n\nRecorded on ${record.machine}.`);
  console.log(ratioLine(summary.comparisons, host));
  const fallen = judged.filter(({ verdict }) => verdict === "fallen").map(({ place }) => place);
  if (fallen.length > 0) {
    throw new BenchError(`The host has become slower beside the hand-written responder: ${fallen.join(", ")}`);
  }
}
