/**
 * Holds a run's ratios to the hand-written responder against those that were recorded: a change that makes the host
 * slower by more than is tolerated fails, once it is sure that it is not the machine's noise. Only ratios are compared,
 * since machines differ. Pure, but for the file.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BenchError } from "../bench-error.ts";
import { table, times } from "../figures/report-text.ts";
import { median, medianAtMost } from "../figures/statistics.ts";

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

/**
 * What the rounds so far say of one ratio. `open`: their median is below the floor, and yet it may be the luck of a few
 * rounds. What is still open after the last round holds: a guard that fails by luck is ignored.
 */
export type Verdict = "holds" | "fallen" | "open";

/** One measured ratio beside its record. */
export interface JudgedRatio {
  readonly place: string;
  readonly rounds: number;
  /** The median of the rounds. */
  readonly measured: number;
  /** What the host's median over all rounds that there could be does not exceed, in all likelihood. */
  readonly atMost: number;
  readonly recorded: number;
  readonly floor: number;
  readonly verdict: Verdict;
}

/** How sure it must be that the host has fallen behind. It is asked several times in a run. */
const CONFIDENCE = 0.995;

const ADVICE = "write it with `npm run bench -- guard --record` on a quiet machine, and commit it";

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
    throw new BenchError(`${path} is not a record of ratios: ${ADVICE}.`, { cause: error });
  }
}

export async function writeRecord(record: RatioRecord, path: string = RECORD_FILE): Promise<void> {
  await writeFile(path, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** The medians over the rounds, by place, in three digits. */
export function mediansOf(ratios: ReadonlyMap<string, readonly number[]>): Record<string, number> {
  return Object.fromEntries([...ratios].map(([place, rounds]) => [place, Number(median(rounds).toPrecision(3))]));
}

/** @throws {@link BenchError} for a ratio that was never recorded */
export function judgeRatios(ratios: ReadonlyMap<string, readonly number[]>, record: RatioRecord): JudgedRatio[] {
  return [...ratios].map(([place, rounds]) => {
    const recorded = record.ratios[place];
    if (recorded === undefined) throw new BenchError(`${place} was never recorded: ${ADVICE}.`);
    const floor = recorded * (1 - TOLERATED_LOSS);
    const [measured, atMost] = [median(rounds), medianAtMost(rounds, CONFIDENCE)];
    const verdict = measured >= floor ? "holds" : atMost < floor ? "fallen" : "open";
    return { place, rounds: rounds.length, measured, atMost, recorded, floor, verdict };
  });
}

const IN_WORDS: Readonly<Record<Verdict, string>> = { holds: "yes", fallen: "no", open: "not shown to have fallen" };

export function guardText(judged: readonly JudgedRatio[]): string {
  return table(
    ["", "rounds", "measured", "it may be", "recorded", "at least", "holds"],
    judged.map(({ place, rounds, measured, atMost, recorded, floor, verdict }) => [
      place,
      String(rounds),
      times(measured),
      Number.isFinite(atMost) ? times(atMost) : "anything",
      times(recorded),
      times(floor),
      IN_WORDS[verdict],
    ]),
  );
}
