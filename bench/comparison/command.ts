/**
 * `run`: every job beside every contender, or those named.
 *
 * @module
 */

import { Command } from "commander";
import { CONTENDER_NAMES, type ContenderName, FULL_CONTENDERS, QUICK_CONTENDERS } from "../contenders/catalogue.ts";
import { BASIC_JOBS, CONCURRENCIES, JOB_NAMES } from "../jobs/jobs.ts";
import { addTimingOptions, MIN_ROUNDS, type Timings, timingOf } from "../options/timing.ts";
import { listOf, oneOf, wholeNumber } from "../options/values.ts";
import { PUBLISHED_RUNS, type PublishedRunName } from "../published/figures.ts";
import { addSetupOptions, setupOf, type Start } from "../setup/setup-plan.ts";
import { addComparisonOptions, type ComparisonFlags, type ComparisonPlan } from "./comparison-plan.ts";

/** A comparison whose figures may be published. */
export interface RunPlan extends ComparisonPlan {
  /** Writes the figures into this part of what docs/performance.md shows, and the charts into docs/. */
  readonly publishAs: PublishedRunName | undefined;
}

interface RunFlags extends ComparisonFlags {
  readonly quick?: true;
  readonly contenders?: readonly ContenderName[];
  readonly rates?: readonly number[];
  readonly publish?: PublishedRunName;
}

const TIMINGS: Timings = {
  full: { rounds: 5, settleMs: 4_000, warmUpMs: 500, measureMs: 2_000 },
  quick: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 1_500 },
};
const RATES = [25, 50, 75];
/** Percent. */
const MAX_RATE = 1_000;

export function createRunCommand(start: Start<RunPlan>): Command {
  const command = new Command("run")
    .summary("compare the host with hand-written responders and other hosts of plugins")
    .description(
      `Measures this host beside responders written by hand and other hosts of plugins, in interleaved rounds on real servers. \
Without options that takes more than an hour; with --quick, less than five minutes. \
The last line of the output is the host's throughput as ratios to the hand-written Node responder.`,
    )
    .option(
      "--quick",
      `only ${BASIC_JOBS.join(" and ")} beside the hand-written Node responder, measured for less time`,
    );
  addComparisonOptions(
    command,
    `all; with --quick: ${BASIC_JOBS.join(", ")}`,
    `${CONCURRENCIES.join(",")}; some jobs fewer`,
  )
    .option(
      "--contenders <a,b>",
      `contenders, of ${CONTENDER_NAMES.join(", ")} (default: all; with --quick: ${QUICK_CONTENDERS.join(", ")})`,
      listOf(oneOf(CONTENDER_NAMES)),
    )
    .option(
      "--rates <a,b>",
      `fixed rates, in percent of the Node responder's throughput (default: ${RATES.join(",")}; with --quick: none)`,
      listOf(wholeNumber(1, MAX_RATE)),
    )
    .option(
      "--publish <part>",
      `write the figures into this part of bench/published/figures.json, and the charts into docs/: one of ${PUBLISHED_RUNS.join(", ")}`,
      oneOf(PUBLISHED_RUNS),
    );
  addTimingOptions(command, TIMINGS.full, MIN_ROUNDS);
  return addSetupOptions(command).action((flags: RunFlags) => start(planOf(flags)));
}

function planOf(flags: RunFlags): RunPlan {
  const { quick = false } = flags;
  return {
    ...setupOf(flags),
    ...timingOf(TIMINGS[quick ? "quick" : "full"], flags),
    jobs: flags.jobs ?? (quick ? BASIC_JOBS : JOB_NAMES),
    contenders: flags.contenders ?? (quick ? QUICK_CONTENDERS : FULL_CONTENDERS),
    concurrencies: flags.concurrency,
    rateFractions: (flags.rates ?? (quick ? [] : RATES)).map((percent) => percent / 100),
    publishAs: flags.publish,
  };
}
