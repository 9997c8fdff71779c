/**
 * What one run of the benchmark measures, how long and how often.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BenchError } from "./bench-error.ts";
import { ATTACK_NAMES, type AttackName } from "./fairness/attacks.ts";
import { JOB_NAMES, type JobName } from "./jobs.ts";

/** Where values are kept. */
export type StoreKind = "mongodb" | "sqlite";

/** Which load generator sends the requests; `auto` takes the one in Go where there is a Go toolchain. */
export type GeneratorChoice = "auto" | "go" | "node";

/** One run of the benchmark. */
export interface BenchPlan {
  readonly mode: "full" | "quick";
  readonly jobs: readonly JobName[];
  /** Requests in flight, one measurement for each. */
  readonly concurrencies: readonly number[];
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
  /** Not throughput is measured but good plugins beside these attacks. */
  readonly attacks: readonly AttackName[] | undefined;
}

type Timing = Pick<BenchPlan, "rounds" | "settleMs" | "warmUpMs" | "measureMs">;

const TIMINGS: Readonly<Record<BenchPlan["mode"], Timing>> = {
  full: { rounds: 7, settleMs: 5_000, warmUpMs: 1_000, measureMs: 4_000 },
  quick: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 1_500 },
};

/** A fixed rate gives few requests: a p99 of less time is the luck of one of them. */
const FAIRNESS_TIMINGS: typeof TIMINGS = {
  full: { rounds: 5, settleMs: 8_000, warmUpMs: 1_000, measureMs: 10_000 },
  quick: { rounds: 3, settleMs: 5_000, warmUpMs: 1_000, measureMs: 4_000 },
};

const CONCURRENCIES = [1, 16, 64, 256];

/** A round is a pair of neighbouring measurements; fewer pairs have no meaningful spread. */
const MIN_ROUNDS = 5;
const MIN_FAIRNESS_ROUNDS = 3;

export const USAGE = `usage: npm run bench -- [options]

Measures this host beside a hand-written Node responder, in interleaved rounds on real servers.

  --quick                 shorter rounds: less than five minutes in all
  --rounds <n>            rounds, at least ${MIN_ROUNDS} (default ${TIMINGS.full.rounds}, quick ${TIMINGS.quick.rounds})
  --jobs <a,b>            of ${JOB_NAMES.join(", ")} (default all)
  --concurrency <a,b>     requests in flight (default ${CONCURRENCIES.join(",")})
  --store <kind>          mongodb (default) or sqlite
  --generator <kind>      auto (default), go or node
  --fairness              good plugins beside a hostile one instead: latency at a fixed rate, quiet and under attack
  --attacks <a,b>         with --fairness: of ${ATTACK_NAMES.join(", ")} (default all)
  --host <file>           measure this main.js instead of the one built from src/
  --help`;

/** @returns `undefined` when help was asked for. Throws {@link BenchError} for arguments that cannot be used. */
export function parsePlan(args: readonly string[]): BenchPlan | undefined {
  const values = parseFlags(args);
  if (values.help === true) return undefined;
  const mode = values.quick === true ? "quick" : "full";
  const fairness = values.fairness === true;
  if (values.attacks !== undefined && !fairness) throw new BenchError("--attacks: write it with --fairness");
  const timing = (fairness ? FAIRNESS_TIMINGS : TIMINGS)[mode];
  const minRounds = fairness ? MIN_FAIRNESS_ROUNDS : MIN_ROUNDS;
  return {
    mode,
    jobs: values.jobs === undefined ? JOB_NAMES : list(values.jobs).map((name) => oneOf("--jobs", JOB_NAMES, name)),
    concurrencies:
      values.concurrency === undefined
        ? CONCURRENCIES
        : list(values.concurrency).map((text) => wholeNumber("--concurrency", text, 1, 1_000)),
    ...timing,
    rounds: values.rounds === undefined ? timing.rounds : wholeNumber("--rounds", values.rounds, minRounds, 1_000),
    store: oneOf("--store", ["mongodb", "sqlite"] as const, values.store ?? "mongodb"),
    generator: oneOf("--generator", ["auto", "go", "node"] as const, values.generator ?? "auto"),
    hostPath: values.host,
    attacks: fairness ? attacksOf(values.attacks) : undefined,
  };
}

function attacksOf(text: string | undefined): readonly AttackName[] {
  return text === undefined ? ATTACK_NAMES : list(text).map((name) => oneOf("--attacks", ATTACK_NAMES, name));
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        rounds: { type: "string" },
        jobs: { type: "string" },
        concurrency: { type: "string" },
        store: { type: "string" },
        generator: { type: "string" },
        host: { type: "string" },
        fairness: { type: "boolean" },
        attacks: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new BenchError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error });
  }
}

function list(text: string): string[] {
  return [...new Set(text.split(",").map((part) => part.trim()))];
}

function oneOf<Name extends string>(flag: string, names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new BenchError(`${flag} "${text}": write one of ${names.join(", ")}`);
  return found;
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BenchError(`${flag} "${text}": write a whole number from ${min} to ${max}`);
}
