/**
 * Holds a run's ratios to the hand-written responder against those that were recorded: a change that makes the host
 * slower by more than noise can explain fails. Only ratios are compared, since machines differ. Pure, but for the file.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BenchError } from "./bench-error.ts";
import type { Comparison } from "./measurement.ts";
import { table, times } from "./report-text.ts";

/** How far below its record a ratio may fall: the rest is this machine's and this hour's. */
export const TOLERATED_LOSS = 0.25;

export const RECORD_FILE = fileURLToPath(new URL("recorded-ratios.json", import.meta.url));

const RECORD_SCHEMA = z.strictObject({
  /** On what it was measured. */
  machine: z.string(),
  /** Job and concurrency, as in `kv@64` → the host's throughput as a ratio to the hand-written responder's. */
  ratios: z.record(z.string(), z.number().positive()),
});

/** What was recorded. */
export type RatioRecord = z.infer<typeof RECORD_SCHEMA>;

/** One measured ratio beside its record. */
export interface GuardVerdict {
  readonly place: string;
  readonly measured: number;
  readonly recorded: number;
  readonly floor: number;
  readonly holds: boolean;
}

const ADVICE = "write it with `npm run bench -- --guard --record` on a quiet machine, and commit it";

/** @throws {@link BenchError} when there is no record, or none that can be used */
export async function readRecord(path: string = RECORD_FILE): Promise<RatioRecord> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new BenchError(`There is no ${path}: ${ADVICE}.`, { cause: error });
  }
  try {
    return RECORD_SCHEMA.parse(JSON.parse(text));
  } catch (error) {
    throw new BenchError(`${path} is no record of ratios: ${ADVICE}.`, { cause: error });
  }
}

export async function writeRecord(record: RatioRecord, path: string = RECORD_FILE): Promise<void> {
  await writeFile(path, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** The medians over the rounds, by place. */
export function ratiosOf(comparisons: readonly Comparison[]): Record<string, number> {
  return Object.fromEntries(
    comparisons.map(({ job, concurrency, requestsPerSecond }) => [
      `${job}@${concurrency}`,
      Number(requestsPerSecond.median.toPrecision(3)),
    ]),
  );
}

/** @throws {@link BenchError} for a ratio that was never recorded */
export function judgeRatios(measured: Readonly<Record<string, number>>, record: RatioRecord): GuardVerdict[] {
  return Object.entries(measured).map(([place, ratio]) => {
    const recorded = record.ratios[place];
    if (recorded === undefined) throw new BenchError(`${place} was never recorded: ${ADVICE}.`);
    const floor = recorded * (1 - TOLERATED_LOSS);
    return { place, measured: ratio, recorded, floor, holds: ratio >= floor };
  });
}

export function guardText(verdicts: readonly GuardVerdict[]): string {
  return table(
    ["", "measured", "recorded", "at least", "holds"],
    verdicts.map(({ place, measured, recorded, floor, holds }) => [
      place,
      times(measured),
      times(recorded),
      times(floor),
      holds ? "yes" : "no",
    ]),
  );
}
