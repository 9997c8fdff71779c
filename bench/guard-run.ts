/**
 * The guard: a short run on echo and kv, whose ratios are recorded or held against the record.
 *
 * @module
 */

import { BenchError } from "./bench-error.ts";
import { measureAll } from "./comparison-run.ts";
import { hostName } from "./contenders/host.ts";
import { guardText, judgeRatios, ratiosOf, readRecord, RECORD_FILE, writeRecord } from "./guard.ts";
import { ratioLine } from "./measurement.ts";
import type { BenchPlan } from "./plan.ts";
import { leftOutText, machineLine, reportText } from "./report.ts";

/** @throws {@link BenchError} when the host has fallen behind its record */
export async function runGuard(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  // Before minutes are spent.
  const record = plan.records ? undefined : await readRecord();
  const { machine, summary, leftOut } = await measureAll(plan, signal);
  if (leftOut.length > 0) throw new BenchError(leftOutText(leftOut));
  const host = hostName(plan.engine);
  const comparisons = summary.comparisons.filter(({ contender }) => contender === host);
  const ratios = ratiosOf(comparisons);
  console.log(`${machineLine(machine)}\n\n${reportText(summary)}\n`);
  if (record === undefined) {
    await writeRecord({ machine: `${machine.cores} × ${machine.cpu}, ${machine.system}`, ratios });
    console.log(`Written: ${RECORD_FILE}`);
    console.log(ratioLine(comparisons, host));
    return;
  }
  const verdicts = judgeRatios(ratios, record);
  console.log(`${guardText(verdicts)}\n\nRecorded on ${record.machine}.`);
  console.log(ratioLine(comparisons, host));
  const fallen = verdicts.filter(({ holds }) => !holds).map(({ place }) => place);
  if (fallen.length > 0) {
    throw new BenchError(`The host has become slower beside the hand-written responder: ${fallen.join(", ")}`);
  }
}
