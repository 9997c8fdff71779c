/**
 * The contenders at fixed rates, which are fractions of what the hand-written responder in Node does in a closed loop. A
 * latency runs from when its request was due, so that a pause counts for every request that falls into it. Who cannot
 * keep up has no latency there: it would only say how long was measured.
 *
 * @module
 */

import { BenchError, RefusedError } from "../bench-error.ts";
import { type Competitor, prepareStore } from "./competitors.ts";
import { type Generator, isRefusal } from "../generator/generator.ts";
import type { Job } from "../jobs/jobs.ts";
import type { Latencies, LoadFigures, LoadSpec } from "../jobs/load-spec.ts";
import type { Measurement, RateCell } from "../figures/measurement.ts";
import { inTurn } from "../figures/in-turn.ts";
import type { RoundsSetting } from "./rounds-setting.ts";
import { median, type Spread, spreadOf } from "../figures/statistics.ts";

/** One contender at one rate in one round. */
export interface RateMeasurement {
  readonly job: Job["name"];
  readonly contender: string;
  readonly fraction: number;
  readonly ratePerSecond: number;
  readonly round: number;
  readonly outcome:
    | { readonly kind: "held"; readonly latencyMs: Latencies; readonly sendLagP99Ms: number }
    | { readonly kind: "not-held"; readonly reason: string };
}

/** Requests that may be in flight: as many as `kv` has keys, and a pause of a second at a thousand a second. */
const MAX_IN_FLIGHT = 1_000;
/** A queue that is left behind is not part of the next measurement: until none of so many requests is refused. */
const CALM_REQUESTS = 200;
const CALM_TRIES = 50;
const TOLERATED_QUEUE = 0.2;
const LEAST_QUEUE_MS = 100;

/** @param closed of the same job: what the rates are fractions of */
export async function measureRates(
  job: Job,
  competitors: readonly Competitor[],
  baseline: string,
  closed: readonly Measurement[],
  setting: RoundsSetting,
): Promise<RateMeasurement[]> {
  const throughput = bestThroughput(closed, baseline);
  if (throughput === undefined || setting.plan.rateFractions.length === 0) return [];
  const measurements: RateMeasurement[] = [];
  for (let round = 1; round <= setting.plan.rounds; round++) {
    for (const fraction of setting.plan.rateFractions) {
      const ratePerSecond = Math.max(1, Math.round(throughput * fraction));
      for (const competitor of inTurn(competitors, round)) {
        setting.signal.throwIfAborted();
        const outcome = await measureRate(competitor, job, ratePerSecond, setting);
        measurements.push({ job: job.name, contender: competitor.name, fraction, ratePerSecond, round, outcome });
      }
    }
    setting.report(`${job.name} at fixed rates, round ${round}/${setting.plan.rounds}`);
  }
  return measurements;
}

/** The best median over the concurrencies; `undefined` where it was not measured. */
export function bestThroughput(measurements: readonly Measurement[], contender: string): number | undefined {
  const own = measurements.filter((measurement) => measurement.contender === contender);
  const byConcurrency = Map.groupBy(own, ({ concurrency }) => concurrency);
  const medians = [...byConcurrency.values()].map((rounds) =>
    median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
  );
  return medians.length === 0 ? undefined : Math.max(...medians);
}

/** Whose queue takes a good part of the measured time to empty has been sent more than it can do. */
export function keptUp(queueMs: number, measureMs: number): boolean {
  return queueMs <= Math.max(LEAST_QUEUE_MS, measureMs * TOLERATED_QUEUE);
}

export function summarizeRates(measurements: readonly RateMeasurement[]): RateCell[] {
  const series = Map.groupBy(measurements, ({ job, contender, fraction }) => `${job} ${contender} ${fraction}`);
  return [...series.values()].flatMap((rounds) => {
    const [first] = rounds;
    if (first === undefined) return [];
    const { job, contender, fraction, ratePerSecond } = first;
    const held = rounds.flatMap(({ outcome }) => (outcome.kind === "held" ? [outcome] : []));
    const over = (figure: (outcome: (typeof held)[number]) => number): Spread => spreadOf(held.map(figure));
    const latency =
      held.length === 0
        ? undefined
        : {
            p50Ms: over(({ latencyMs }) => latencyMs.p50),
            p99Ms: over(({ latencyMs }) => latencyMs.p99),
            p999Ms: over(({ latencyMs }) => latencyMs.p999),
            sendLagMs: over(({ sendLagP99Ms }) => sendLagP99Ms),
          };
    return { job, contender, fraction, ratePerSecond, heldRounds: held.length, rounds: rounds.length, latency };
  });
}

async function measureRate(
  { name, target }: Competitor,
  job: Job,
  ratePerSecond: number,
  { plan, servers, generator }: RoundsSetting,
): Promise<RateMeasurement["outcome"]> {
  await prepareStore(job, name, servers);
  const server = servers.natsUrl;
  const { warmUpMs, measureMs } = plan;
  const loop = { ...target, concurrency: MAX_IN_FLIGHT, ratePerSecond, warmUpMs, measureMs };
  let figures: LoadFigures;
  try {
    figures = await generator.count({ server, loop, job: job.load });
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    await calm({ server, loop: { ...target, concurrency: 1, requests: CALM_REQUESTS }, job: job.load }, generator);
    return { kind: "not-held", reason: error.message };
  }
  const { latencyMs, sendLagP99Ms, errors, firstError = "" } = figures;
  if (errors === 0) {
    const queueMs = figures.totalSeconds * 1_000 - warmUpMs - measureMs;
    if (keptUp(queueMs, measureMs)) return { kind: "held", latencyMs, sendLagP99Ms: sendLagP99Ms ?? 0 };
    return { kind: "not-held", reason: `the last reply came ${Math.round(queueMs)} ms after the last request` };
  }
  // An overloaded host refuses, which is an answer, but not the one that was asked for. Everything else is a fault.
  if (!isRefusal(firstError)) throw new BenchError(`${job.name} ${name}: ${firstError}`);
  return { kind: "not-held", reason: `${errors} requests were refused; ${firstError}` };
}

/** Returns when what a contender was sent before holds up nobody any more. */
async function calm(spec: LoadSpec, generator: Generator): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await generator.run(spec);
      return;
    } catch (error) {
      if (!(error instanceof RefusedError) || tries === CALM_TRIES) throw error;
    }
  }
}
