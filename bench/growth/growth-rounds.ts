/**
 * The measurements of a curve: all its points are deployed, and in every round each is measured in turn, in every second
 * round in the opposite order.
 *
 * @module
 */

import { BenchError, RefusedError } from "../bench-error.ts";
import type { Generator } from "../generator/generator.ts";
import { FILL_CONCURRENCY, JOBS } from "../jobs/jobs.ts";
import type { LoopSpec } from "../jobs/load-spec.ts";
import { watchProcesses } from "../processes/process-watch.ts";
import { inTurn } from "../figures/in-turn.ts";
import type { Timing } from "../options/timing.ts";
import type { Curve } from "./curves.ts";
import { deploy, type Deployment, type DeploymentSetting } from "./deployment.ts";
import type { GrowthMeasurement, Place, RefusedPlace } from "./growth.ts";

/** What the rounds are made with. */
export interface GrowthSetting extends DeploymentSetting {
  readonly timing: Timing;
  readonly generator: Generator;
  /** Aborted: no further measurement is begun. */
  readonly signal: AbortSignal;
}

/** What the rounds of a curve gave. */
export interface CurveResult {
  readonly measurements: readonly GrowthMeasurement[];
  /** Points that answered with errors: of half a series of rounds no median is made. */
  readonly refused: readonly RefusedPlace[];
}

/** Runs all rounds of a curve. */
export async function measureCurve(curve: Curve, setting: GrowthSetting): Promise<CurveResult> {
  const { timing, report, signal } = setting;
  await using owned = new AsyncDisposableStack();
  const refused = new Map<Place, string>();
  const deployments: Deployment[] = [];
  for (const place of placesOf(curve, setting)) {
    signal.throwIfAborted();
    report(`${curve.name}: starting ${place.job} at ${place.x} …`);
    const deployment = await deploy(place, setting, owned);
    deployments.push(deployment);
    await unlessRefused(place, refused, () => settle(deployment, setting));
  }
  const measurements: GrowthMeasurement[] = [];
  for (let round = 1; round <= timing.rounds; round++) {
    for (const deployment of inTurn(deployments, round)) {
      signal.throwIfAborted();
      const { place } = deployment;
      const measurement = await unlessRefused(place, refused, () => measure(deployment, round, setting));
      if (measurement !== undefined) measurements.push(measurement);
    }
    report(`${curve.name}: round ${round}/${timing.rounds}`);
  }
  const isWhole = ({ job, x }: GrowthMeasurement): boolean =>
    ![...refused.keys()].some((place) => place.job === job && place.x === x);
  return {
    measurements: measurements.filter(isWhole),
    refused: [...refused].map(([{ job, x }, reason]) => ({ curve: curve.name, job, x, reason })),
  };
}

/** Does nothing at a place that was refused, and notes one that is. */
async function unlessRefused<Outcome>(
  place: Place,
  refused: Map<Place, string>,
  work: () => Promise<Outcome>,
): Promise<Outcome | undefined> {
  if (refused.has(place)) return undefined;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    refused.set(place, error.message);
    return undefined;
  }
}

function placesOf({ name, points, jobs }: Curve, { servers, report }: GrowthSetting): Place[] {
  return jobs.flatMap((job) => {
    if (name === "replicas" && JOBS[job].store !== "none" && servers.store.kind === "sqlite") {
      report(`${name}: ${job} is left out, since replicas cannot share an embedded store`);
      return [];
    }
    return points.map((x) => ({ curve: name, job, x }));
  });
}

async function settle(deployment: Deployment, setting: GrowthSetting): Promise<void> {
  const { subject, load, concurrency, replicas } = deployment;
  const { timing, servers, generator } = setting;
  const run = (job: Deployment["load"], loop: Omit<LoopSpec, "subject">) =>
    generator.run({ server: servers.natsUrl, loop: { subject, ...loop }, job });
  if (load.kind === "kv") {
    await run({ ...load, filling: true }, { concurrency: FILL_CONCURRENCY, requests: load.keys });
  }
  // The compilers of each have as many requests to learn from as those of a single one.
  await run(load, { concurrency, warmUpMs: 0, measureMs: timing.settleMs * replicas });
}

async function measure(
  deployment: Deployment,
  round: number,
  { timing, servers, generator }: GrowthSetting,
): Promise<GrowthMeasurement> {
  const { place, subject, load, concurrency } = deployment;
  const { warmUpMs, measureMs } = timing;
  const used = await watchProcesses(() => deployment.processes());
  const figures = await generator.run({
    server: servers.natsUrl,
    loop: { subject, concurrency, warmUpMs, measureMs },
    job: load,
  });
  if (figures.requests === 0) throw new BenchError(`${place.curve} ${place.x}: nothing was answered`);
  return {
    ...place,
    round,
    requests: figures.requests,
    requestsPerSecond: figures.requests / figures.seconds,
    latencyMs: figures.latencyMs,
    generatorLoad: figures.cpuSeconds / figures.totalSeconds,
    processes: await used(figures.totalRequests),
  };
}
