/**
 * What one run of the benchmark measures, how long and how often.
 *
 * @module
 */

import { ENGINE_CHOICES, type EngineChoice } from "../src/contract/artifact.ts";
import { BenchError } from "./bench-error.ts";
import { CONTENDER_NAMES, type ContenderName, FULL_CONTENDERS, QUICK_CONTENDERS } from "./contenders/catalogue.ts";
import { ATTACK_NAMES, type AttackName } from "./fairness/attacks.ts";
import { list, oneOf, parseFlags, SOAK_REQUESTS, someOf, wholeNumber } from "./flags.ts";
import { CURVE_NAMES, type CurveName } from "./growth/curves.ts";
import { BASIC_JOBS, JOB_NAMES, type JobName } from "./jobs.ts";
import { MIN_SOAK_REQUESTS } from "./soak/soak.ts";
import { type BenchMode, minRoundsOf, type Timing, timingFor, timingOf } from "./timings.ts";
import { USAGE } from "./usage.ts";

/** Where values are kept. */
export type StoreKind = "mongodb" | "mongodb-standalone" | "sqlite";

/** Which load generator sends the requests; `auto` takes the one in Go where there is a Go toolchain. */
export type GeneratorChoice = "auto" | "go" | "node";

/** One run of the benchmark. */
export interface BenchPlan extends Timing {
  readonly mode: BenchMode;
  /** With `guard`: rounds at most, where those of the plan leave it open whether the host has fallen behind. */
  readonly maxRounds: number;
  readonly jobs: readonly JobName[];
  readonly contenders: readonly ContenderName[];
  /** Of the host. */
  readonly engine: EngineChoice;
  /** Requests in flight, one measurement for each; `undefined` is each job's own choice. */
  readonly concurrencies: readonly number[] | undefined;
  /** Fixed rates, as fractions of what the hand-written responder in Node does in a closed loop. */
  readonly rateFractions: readonly number[];
  readonly store: StoreKind;
  readonly generator: GeneratorChoice;
  /** The host's executable if it is not the one of this tree: to measure another build. */
  readonly hostPath: string | undefined;
  /** With `against`: the executable of the build that the host is compared with. */
  readonly againstPath: string | undefined;
  /** With `fairness`: not throughput is measured but good plugins beside these. */
  readonly attacks: readonly AttackName[];
  /** With `growth`: over what. */
  readonly curves: readonly CurveName[];
  /** With `soak`: so many in all. */
  readonly soakRequests: number;
  /** With `guard`: writes down what is measured instead of holding it against what was. */
  readonly records: boolean;
  /** Writes the charts into docs/. */
  readonly publishes: boolean;
}

/** Of the guard, and of one build against another. */
const GUARD_CONCURRENCIES = [64];
const RATE_FRACTIONS = [0.25, 0.5, 0.75];
/** The two that `--scaling` compares, and the concurrencies at which it does. */
const SCALING_CONTENDERS: readonly ContenderName[] = ["host-1-runner", "host-2-runners"];
const SCALING_CONCURRENCIES = [16];
const MAX_SOAK_REQUESTS = 100_000_000;

/** What modes measure where nothing else is asked for. */
const DEFAULTS: Readonly<Record<"full" | "short" | "scaling" | "against", Defaults>> = {
  full: { jobs: JOB_NAMES, contenders: FULL_CONTENDERS, rateFractions: RATE_FRACTIONS },
  short: { jobs: BASIC_JOBS, contenders: QUICK_CONTENDERS, rateFractions: [] },
  against: { jobs: BASIC_JOBS, contenders: ["host"], rateFractions: [] },
  scaling: { jobs: ["compute", "compute-long"], contenders: SCALING_CONTENDERS, rateFractions: [] },
};

/** Some three minutes for both jobs, with all that goes before. */
const GUARD_MAX_ROUNDS = 25;

type Defaults = Pick<BenchPlan, "jobs" | "contenders" | "rateFractions">;

/** @returns `undefined` when help was asked for. Throws {@link BenchError} for arguments that cannot be used. */
export function parsePlan(args: readonly string[]): BenchPlan | undefined {
  const values = parseFlags(args, USAGE);
  if (values.help === true) return undefined;
  const mode = modeOf(values);
  const defaults = DEFAULTS[mode === "full" || mode === "scaling" || mode === "against" ? mode : "short"];
  const timing = timingOf(mode, values.quick === true);
  const rounds =
    values.rounds === undefined ? timing.rounds : wholeNumber("--rounds", values.rounds, minRoundsOf(mode), 1_000);
  return {
    mode,
    jobs: someOf("--jobs", JOB_NAMES, values.jobs) ?? defaults.jobs,
    contenders: someOf("--contenders", CONTENDER_NAMES, values.contenders) ?? defaults.contenders,
    engine: oneOf("--engine", ENGINE_CHOICES, values.engine ?? "auto"),
    concurrencies:
      values.concurrency === undefined
        ? concurrenciesOf(mode)
        : list(values.concurrency).map((text) => wholeNumber("--concurrency", text, 1, 1_000)),
    rateFractions:
      values.rates === undefined
        ? defaults.rateFractions
        : list(values.rates).map((text) => wholeNumber("--rates", text, 1, 1_000) / 100),
    ...timing,
    ...(values["measure-ms"] !== undefined &&
      timingFor(wholeNumber("--measure-ms", values["measure-ms"], 100, 60_000))),
    rounds,
    maxRounds: mode === "guard" ? Math.max(rounds, GUARD_MAX_ROUNDS) : rounds,
    store: oneOf("--store", ["mongodb", "mongodb-standalone", "sqlite"] as const, values.store ?? "mongodb"),
    generator: oneOf("--generator", ["auto", "go", "node"] as const, values.generator ?? "auto"),
    hostPath: values.host,
    againstPath: values.against,
    attacks: someOf("--attacks", ATTACK_NAMES, values.attacks) ?? ATTACK_NAMES,
    curves: someOf("--curves", CURVE_NAMES, values.curves) ?? CURVE_NAMES,
    soakRequests: wholeNumber("--soak", values.soak ?? String(SOAK_REQUESTS), MIN_SOAK_REQUESTS, MAX_SOAK_REQUESTS),
    records: values.record === true,
    publishes: values.publish === true,
  };
}

function concurrenciesOf(mode: BenchMode): readonly number[] | undefined {
  if (mode === "guard" || mode === "against") return GUARD_CONCURRENCIES;
  return mode === "scaling" ? SCALING_CONCURRENCIES : undefined;
}

/** Settings that would mean nothing are refused. */
function modeOf(values: ReturnType<typeof parseFlags>): BenchMode {
  const { quick = false, guard = false, fairness = false, scaling = false, growth = false, swap = false } = values;
  const against = values.against !== undefined;
  const chosen = { guard, against, fairness, scaling, growth, soak: values.soak !== undefined, swap };
  const [mode, ...others] = (Object.keys(chosen) as (keyof typeof chosen)[]).filter((name) => chosen[name]);
  if (others.length > 0) throw new BenchError(`--${mode}: write it without --${others.join(", --")}`);
  if (values.attacks !== undefined && mode !== "fairness") throw new BenchError("--attacks: write it with --fairness");
  if (values.curves !== undefined && mode !== "growth") throw new BenchError("--curves: write it with --growth");
  if (values.record === true && mode !== "guard") throw new BenchError("--record: write it with --guard");
  if ((mode === "guard" || mode === "against") && values.contenders !== undefined) {
    throw new BenchError(`--contenders: write it without --${mode}`);
  }
  if (quick && (mode === "guard" || mode === "against" || mode === "soak"))
    throw new BenchError(`--${mode}: write it without --quick`);
  return mode ?? (quick ? "quick" : "full");
}
