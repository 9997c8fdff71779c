/**
 * Measures the contenders at one job: in every round each of them at every concurrency, neighbours in time, and in
 * every second round in the opposite order, so that a machine that becomes slower favours none.
 *
 * @module
 */

import { RefusedError } from "../bench-error.ts";
import { type Competitor, type LeftOut, prepareStore } from "./competitors.ts";
import { CONCURRENCIES, type Job } from "../jobs/jobs.ts";
import type { Measurement } from "../figures/measurement.ts";
import type { RoundsSetting } from "./rounds-setting.ts";
import { inTurn } from "../figures/in-turn.ts";
import { watchProcesses } from "../processes/process-watch.ts";
import { storeOf } from "../servers/servers.ts";

/** What the rounds of a job gave. */
export interface RoundsResult {
  readonly measurements: readonly Measurement[];
  /** Those that answered with errors: of half a series of rounds no ratio is made. */
  readonly leftOut: readonly LeftOut[];
}

/** Runs all rounds of a job. Contenders that are not being measured run, without load. */
export async function measureRounds(
  job: Job,
  competitors: readonly Competitor[],
  setting: RoundsSetting,
): Promise<RoundsResult> {
  const { plan, report, signal } = setting;
  const measurements: Measurement[] = [];
  const reasons = new Map<string, string>();
  for (let round = 1; !isOver(round - 1, measurements, setting); round++) {
    for (const concurrency of plan.concurrencies ?? job.concurrencies ?? CONCURRENCIES) {
      const measured: Measurement[] = [];
      for (const competitor of inTurn(competitors, round)) {
        if (reasons.has(competitor.name)) continue;
        signal.throwIfAborted();
        try {
          measured.push(await measure(competitor, job, concurrency, round, setting));
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
          reasons.set(competitor.name, `at ${concurrency} in flight ${error.message}`);
        }
      }
      measurements.push(...measured);
      if (measured.length > 0) report(roundLine(measured));
    }
  }
  return {
    measurements: measurements.filter(({ contender }) => !reasons.has(contender)),
    leftOut: [...reasons].map(([name, reason]) => ({ what: `${name} at ${job.name}`, reason })),
  };
}

/** Rounds beyond the plan's come in twos, one in each order. */
function isOver(rounds: number, measurements: readonly Measurement[], { plan, more }: RoundsSetting): boolean {
  if (rounds < plan.rounds) return false;
  if (more === undefined || rounds >= more.atMost) return true;
  return (rounds - plan.rounds) % 2 === 0 && more.suffices(measurements);
}

async function measure(
  competitor: Competitor,
  job: Job,
  concurrency: number,
  round: number,
  { plan, servers, generator }: RoundsSetting,
): Promise<Measurement> {
  const { name, running, target } = competitor;
  await prepareStore(job, name, servers);
  const costs = await watchProcesses(async () => [...(await running.processes()), ...storeOf(job, servers).processes]);
  const figures = await generator.run({
    server: servers.natsUrl,
    loop: {
      ...target,
      concurrency,
      warmUpMs: Math.max(plan.warmUpMs, job.leastWarmUpMs ?? 0),
      measureMs: plan.measureMs,
    },
    job: job.load,
  });
  return {
    job: job.name,
    contender: name,
    concurrency,
    round,
    requests: figures.requests,
    requestsPerSecond: figures.requests / figures.seconds,
    latencyMs: figures.latencyMs,
    generatorLoad: figures.cpuSeconds / figures.totalSeconds,
    processes: await costs(figures.totalRequests),
  };
}

function roundLine(measured: readonly Measurement[]): string {
  const [first] = measured;
  const figures = measured
    .toSorted((a, b) => a.contender.localeCompare(b.contender))
    .map(({ contender, requestsPerSecond }) => `${contender} ${Math.round(requestsPerSecond)}/s`);
  return `${first?.job}@${first?.concurrency} round ${first?.round}: ${figures.join(", ")}`;
}
