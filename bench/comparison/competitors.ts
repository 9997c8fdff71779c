/**
 * The contenders of one job, running: those that can do it on this machine, each with the store's keys filled and its
 * compilers and caches settled.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../../scripts/lib/command.ts";
import { MissingToolchainError } from "../../scripts/toolchains/recipe.ts";
import { BenchError, RefusedError } from "../bench-error.ts";
import { obtainComponent } from "../jobs/components.ts";
import type { Contender, RunningContender } from "../contenders/contender.ts";
import { FILL_CONCURRENCY, type Job } from "../jobs/jobs.ts";
import type { JobSpec, LoopSpec } from "../jobs/load-spec.ts";
import { emptyDatabase } from "../servers/empty-database.ts";
import type { RoundsSetting } from "./rounds-setting.ts";
import { type Servers, storeOf } from "../servers/servers.ts";

/** A contender that takes requests. */
export interface Competitor {
  readonly name: string;
  readonly running: RunningContender;
  /** Where its requests go. */
  readonly target: Pick<LoopSpec, "subject" | "targets">;
}

/** What a run leaves out, and why. */
export interface LeftOut {
  readonly what: string;
  readonly reason: string;
}

/** Builds or installs what contenders need; leaves out those that this machine cannot run. */
export async function prepareContenders(
  contenders: readonly Contender[],
  report: (line: string) => void,
): Promise<{ ready: readonly Contender[]; leftOut: readonly LeftOut[] }> {
  const ready: Contender[] = [];
  const leftOut: LeftOut[] = [];
  for (const contender of contenders) {
    const preparation = await contender.prepare(report);
    if (preparation.kind === "ready") ready.push(contender);
    else leftOut.push({ what: contender.name, reason: preparation.reason });
  }
  return { ready, leftOut };
}

/** @returns the job's components, or why this machine has none. */
export async function prepareComponents(
  job: Job,
  report: (line: string) => void,
): Promise<readonly string[] | LeftOut> {
  const paths: string[] = [];
  try {
    for (const name of job.components) paths.push(await obtainComponent(name, report));
  } catch (error) {
    if (error instanceof MissingToolchainError || error instanceof CommandError) {
      return { what: job.name, reason: error.message };
    }
    throw error;
  }
  return paths;
}

/** Starts the contenders that do the job, leaving out who refuses; whoever owns the stack ends them. */
export async function startCompetitors(
  job: Job,
  contenders: readonly Contender[],
  components: readonly string[],
  setting: RoundsSetting,
  owned: AsyncDisposableStack,
): Promise<{ competitors: readonly Competitor[]; leftOut: readonly LeftOut[] }> {
  const competitors: Competitor[] = [];
  const leftOut: LeftOut[] = [];
  for (const contender of contenders) {
    setting.signal.throwIfAborted();
    setting.report(`${job.name}: starting ${contender.name} …`);
    const competitor = await startCompetitor(job, contender, components, setting);
    owned.use(competitor.running);
    try {
      await settle(competitor, job, setting);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      await competitor.running[Symbol.asyncDispose]();
      leftOut.push({ what: `${contender.name} at ${job.name}`, reason: error.message });
      continue;
    }
    competitors.push(competitor);
  }
  // While the others had their long load, this one let go what it did not need.
  if (job.settle !== undefined) {
    const loop = { concurrency: job.settle.concurrency, warmUpMs: 0, measureMs: setting.plan.settleMs };
    for (const competitor of competitors) await load(competitor, job.load, loop, setting);
  }
  return { competitors, leftOut };
}

async function startCompetitor(
  job: Job,
  contender: Contender,
  components: readonly string[],
  { servers, folder }: RoundsSetting,
): Promise<Competitor> {
  const own = join(folder, `${job.name}-${contender.name}`);
  await mkdir(own);
  const { natsUrl } = servers;
  const { store } = storeOf(job, servers);
  const running = await contender.start(job, { natsUrl, store, components, folder: own });
  const targets = components.length;
  return {
    name: contender.name,
    running,
    target: { subject: running.subject, ...(targets > 1 && { targets }) },
  };
}

/** Before a measurement: what has grown is deleted, so that nobody works on more than the others. */
export async function prepareStore(job: Job, contender: string, servers: Servers): Promise<void> {
  if (!job.grows) return;
  const { store } = storeOf(job, servers);
  if (store.kind !== "mongodb") throw new BenchError(`${job.name}: the store can only be emptied in MongoDB`);
  await emptyDatabase(store.urlOf(contender));
}

async function settle(competitor: Competitor, job: Job, setting: RoundsSetting): Promise<void> {
  if (job.load.kind === "kv") {
    const { keys } = job.load;
    const fill = { concurrency: Math.min(FILL_CONCURRENCY, keys), requests: keys };
    await load(competitor, { ...job.load, filling: true }, fill, setting);
  }
  // Every plugin of a mix has its first request.
  const plugins = job.components.length;
  if (plugins > 1) await load(competitor, job.load, { concurrency: 1, requests: plugins }, setting);
  await prepareStore(job, competitor.name, setting.servers);
  const { leastMs, concurrency } = job.settle ?? { leastMs: 0, concurrency: FILL_CONCURRENCY };
  const measureMs = Math.max(setting.plan.settleMs, leastMs);
  await load(competitor, job.load, { concurrency, warmUpMs: 0, measureMs }, setting);
}

/** Sends requests that no figure is made of. */
async function load(
  { target }: Competitor,
  job: JobSpec,
  loop: Omit<LoopSpec, "subject">,
  { servers, generator }: RoundsSetting,
): Promise<void> {
  await generator.run({ server: servers.natsUrl, loop: { ...target, ...loop }, job });
}
