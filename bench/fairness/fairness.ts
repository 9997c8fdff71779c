/**
 * What the measurements say about fairness. Pure.
 *
 * @module
 */

import type { JobName } from "../jobs/jobs.ts";
import type { LoadFigures } from "../jobs/load-spec.ts";
import { ratioOf, type Spread, spreadOf } from "../figures/statistics.ts";
import type { AttackReplies } from "./attack-load.ts";
import type { AttackName } from "./attacks.ts";

/** What good plugins do. */
export const GOOD_JOBS = ["echo", "kv"] as const satisfies readonly JobName[];

export type GoodJob = (typeof GOOD_JOBS)[number];

/** A good plugin in one round: quiet, and then under attack. */
export interface FairnessMeasurement {
  readonly attack: AttackName;
  /** What the good plugin does. */
  readonly job: GoodJob;
  readonly round: number;
  readonly quiet: LoadFigures;
  readonly attacked: LoadFigures;
  /** What the hostile plugin's callers were answered. */
  readonly replies: AttackReplies;
  /** Cores in use during the attack; 0 where the system does not tell. */
  readonly hostCores: { readonly host: number; readonly runners: number };
}

/** A good plugin beside one attack, over the rounds. */
export interface FairnessCell {
  readonly attack: AttackName;
  readonly job: GoodJob;
  readonly quietP50Ms: Spread;
  readonly quietP99Ms: Spread;
  readonly attackedP50Ms: Spread;
  readonly attackedP99Ms: Spread;
  /** Under attack divided by quiet, round by round. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** How late the load generator itself was under attack (p99): part of the latencies. */
  readonly sendLagMs: Spread;
  /** Requests of the good plugin that failed, quiet ones too. */
  readonly errors: number;
}

/** The promise: a good plugin's p99 beside a hostile one is at most this many times its quiet value. */
export const PROMISED_P99_RATIO = 2;

export function fairnessOf(measurements: readonly FairnessMeasurement[]): FairnessCell[] {
  const series = Map.groupBy(measurements, ({ attack, job }) => `${attack} ${job}`);
  return [...series.values()].flatMap((rounds) => {
    const [first] = rounds;
    if (first === undefined) return [];
    const quiet = (figure: "p50" | "p99") => rounds.map((round) => round.quiet.latencyMs[figure]);
    const attacked = (figure: "p50" | "p99") => rounds.map((round) => round.attacked.latencyMs[figure]);
    return {
      attack: first.attack,
      job: first.job,
      quietP50Ms: spreadOf(quiet("p50")),
      quietP99Ms: spreadOf(quiet("p99")),
      attackedP50Ms: spreadOf(attacked("p50")),
      attackedP99Ms: spreadOf(attacked("p99")),
      p50: ratioOf(attacked("p50"), quiet("p50")),
      p99: ratioOf(attacked("p99"), quiet("p99")),
      sendLagMs: spreadOf(rounds.map((round) => round.attacked.sendLagP99Ms ?? 0)),
      errors: rounds.reduce((sum, round) => sum + round.quiet.errors + round.attacked.errors, 0),
    };
  });
}

/** The last line of a run: for each attack, the worse of the good plugins' median ratios of p99. */
export function fairnessLine(cells: readonly FairnessCell[]): string {
  const worst = new Map<AttackName, number>();
  for (const { attack, p99 } of cells) worst.set(attack, Math.max(worst.get(attack) ?? 0, p99.median));
  return JSON.stringify({
    fairness: Object.fromEntries([...worst].map(([attack, ratio]) => [attack, Number(ratio.toPrecision(3))])),
  });
}
