/**
 * What one run of the benchmark measures, how long and how often.
 *
 * @module
 */

import { ENGINE_CHOICES, type EngineChoice } from "../src/contract/artifact.ts";
import { BenchError } from "./bench-error.ts";
import { CONTENDER_NAMES, type ContenderName, FULL_CONTENDERS, QUICK_CONTENDERS } from "./contenders/catalogue.ts";
import { ATTACK_NAMES, type AttackName } from "./fairness/attacks.ts";
import { list, oneOf, parseFlags, someOf, wholeNumber } from "./flags.ts";
import { JOB_NAMES, type JobName } from "./jobs.ts";

/** Where values are kept. */
export type StoreKind = "mongodb" | "mongodb-standalone" | "sqlite";

/** Which load generator sends the requests; `auto` takes the one in Go where there is a Go toolchain. */
export type GeneratorChoice = "auto" | "go" | "node";

/** What a run is for. */
export type BenchMode = "full" | "quick" | "guard" | "fairness";

/** One run of the benchmark. */
export interface BenchPlan {
  readonly mode: BenchMode;
  readonly jobs: readonly JobName[];
  readonly contenders: readonly ContenderName[];
  /** Of the host. */
  readonly engine: EngineChoice;
  /** Requests in flight, one measurement for each; `undefined` is each job's own choice. */
  readonly concurrencies: readonly number[] | undefined;
  /** Fixed rates, as fractions of what the hand-written responder in Node does in a closed loop. */
  readonly rateFractions: readonly number[];
  readonly rounds: number;
  /** Load before the first measurement of each contender: compilers and caches settle. */
  readonly settleMs: number;
  /** Load before each measurement. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly store: StoreKind;
  readonly generator: GeneratorChoice;
  /** The host's executable if it is not the one of this tree: to measure another build. */
  readonly hostPath: string | undefined;
  /** With `fairness`: not throughput is measured but good plugins beside these. */
  readonly attacks: readonly AttackName[];
  /** With `guard`: writes down what is measured instead of holding it against what was. */
  readonly records: boolean;
  /** Writes the charts into docs/. */
  readonly publishes: boolean;
}

type Timing = Pick<BenchPlan, "rounds" | "settleMs" | "warmUpMs" | "measureMs">;

const TIMINGS: Readonly<Record<Exclude<BenchMode, "fairness">, Timing>> = {
  full: { rounds: 5, settleMs: 4_000, warmUpMs: 500, measureMs: 2_000 },
  quick: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 1_500 },
  // Many short rounds: their median is steadier than that of a few long ones.
  guard: { rounds: 11, settleMs: 3_000, warmUpMs: 300, measureMs: 1_000 },
};

/** A fixed rate gives few requests: a p99 of less time is the luck of one of them. */
const FAIRNESS_TIMINGS: Readonly<Record<"full" | "quick", Timing>> = {
  full: { rounds: 5, settleMs: 8_000, warmUpMs: 1_000, measureMs: 10_000 },
  quick: { rounds: 3, settleMs: 5_000, warmUpMs: 1_000, measureMs: 4_000 },
};

/** Requests in flight where neither the plan nor the job says otherwise. */
export const CONCURRENCIES: readonly number[] = [1, 16, 64, 256];
const GUARD_CONCURRENCIES = [64];
const BASIC_JOBS: readonly JobName[] = ["echo", "kv"];
const RATE_FRACTIONS = [0.25, 0.5, 0.75];

/** A round is a pair of neighbouring measurements; fewer pairs have no meaningful spread. */
const MIN_ROUNDS = 5;
const MIN_FAIRNESS_ROUNDS = 3;

export const USAGE = `usage: npm run bench -- [options]

Measures this host beside responders written by hand and other hosts of plugins, in interleaved rounds on real servers.

  --quick                 echo and kv, beside the hand-written Node responder alone: less than five minutes
  --guard                 shorter still; fails when the host has fallen behind bench/recorded-ratios.json
  --record                with --guard: writes that file
  --jobs <a,b>            of ${JOB_NAMES.join(", ")}
                          (default all; quick: ${BASIC_JOBS.join(", ")})
  --contenders <a,b>      of ${CONTENDER_NAMES.join(", ")}
                          (default all; quick: ${QUICK_CONTENDERS.join(", ")})
  --engine <engine>       of the host: ${ENGINE_CHOICES.join(", ")} (default auto)
  --concurrency <a,b>     requests in flight (default ${CONCURRENCIES.join(",")}; some jobs fewer)
  --rates <a,b>           fixed rates, in percent of the Node responder's throughput (default 25,50,75; quick: none)
  --rounds <n>            rounds, at least ${MIN_ROUNDS} (default ${TIMINGS.full.rounds})
  --measure-ms <ms>       time of each measurement (default ${TIMINGS.full.measureMs}, quick ${TIMINGS.quick.measureMs})
  --store <kind>          mongodb (default: a replica set of one), mongodb-standalone or sqlite
  --generator <kind>      auto (default), go or node
  --fairness              good plugins beside a hostile one instead: latency at a fixed rate, quiet and under attack
  --attacks <a,b>         with --fairness: of ${ATTACK_NAMES.join(", ")} (default all)
  --host <file>           measure this main.js instead of the one built from src/
  --publish               write the charts into docs/, too
  --help`;

/** @returns `undefined` when help was asked for. Throws {@link BenchError} for arguments that cannot be used. */
export function parsePlan(args: readonly string[]): BenchPlan | undefined {
  const values = parseFlags(args, USAGE);
  if (values.help === true) return undefined;
  const mode = modeOf(values);
  const isShort = mode === "quick" || mode === "guard";
  const timing = mode === "fairness" ? FAIRNESS_TIMINGS[values.quick === true ? "quick" : "full"] : TIMINGS[mode];
  const minRounds = mode === "fairness" ? MIN_FAIRNESS_ROUNDS : MIN_ROUNDS;
  return {
    mode,
    jobs: someOf("--jobs", JOB_NAMES, values.jobs) ?? (isShort ? BASIC_JOBS : JOB_NAMES),
    contenders:
      someOf("--contenders", CONTENDER_NAMES, values.contenders) ?? (isShort ? QUICK_CONTENDERS : FULL_CONTENDERS),
    engine: oneOf("--engine", ENGINE_CHOICES, values.engine ?? "auto"),
    concurrencies:
      values.concurrency === undefined
        ? mode === "guard"
          ? GUARD_CONCURRENCIES
          : undefined
        : list(values.concurrency).map((text) => wholeNumber("--concurrency", text, 1, 1_000)),
    rateFractions:
      values.rates === undefined
        ? isShort
          ? []
          : RATE_FRACTIONS
        : list(values.rates).map((text) => wholeNumber("--rates", text, 1, 1_000) / 100),
    ...(values["measure-ms"] === undefined
      ? timing
      : timingOf(wholeNumber("--measure-ms", values["measure-ms"], 100, 60_000))),
    rounds: values.rounds === undefined ? timing.rounds : wholeNumber("--rounds", values.rounds, minRounds, 1_000),
    store: oneOf("--store", ["mongodb", "mongodb-standalone", "sqlite"] as const, values.store ?? "mongodb"),
    generator: oneOf("--generator", ["auto", "go", "node"] as const, values.generator ?? "auto"),
    hostPath: values.host,
    attacks: someOf("--attacks", ATTACK_NAMES, values.attacks) ?? ATTACK_NAMES,
    records: values.record === true,
    publishes: values.publish === true,
  };
}

/** Everything else in proportion. */
function timingOf(measureMs: number): Pick<Timing, "settleMs" | "warmUpMs" | "measureMs"> {
  return { settleMs: 2 * measureMs, warmUpMs: Math.round(measureMs / 4), measureMs };
}

/** Settings that would mean nothing are refused. */
function modeOf(values: ReturnType<typeof parseFlags>): BenchMode {
  const { quick = false, guard = false, fairness = false } = values;
  if (values.attacks !== undefined && !fairness) throw new BenchError("--attacks: write it with --fairness");
  if (values.record === true && !guard) throw new BenchError("--record: write it with --guard");
  if (guard && (quick || fairness)) throw new BenchError("--guard: write it without --quick and --fairness");
  if (guard && values.contenders !== undefined) throw new BenchError("--contenders: write it without --guard");
  if (fairness) return "fairness";
  if (guard) return "guard";
  return quick ? "quick" : "full";
}
