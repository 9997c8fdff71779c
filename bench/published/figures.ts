/**
 * The figures that the documentation shows: `figures.json`, written by `npm run bench -- … --publish`, read by
 * `npm run generate`. Each part comes from one run, so that its figures may be compared with each other.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BenchError } from "../bench-error.ts";
import { JOB_NAMES } from "../jobs/jobs.ts";

/** What `run` can be published as. */
export const PUBLISHED_RUNS = ["basic", "hosts", "jobs", "languages", "rates"] as const;

export type PublishedRunName = (typeof PUBLISHED_RUNS)[number];

export const FIGURES_FILE: string = fileURLToPath(new URL("figures.json", import.meta.url));

/** A median over the rounds, with the smallest and the largest value where they are known. */
const FIGURE = z.strictObject({
  median: z.number(),
  min: z.number().optional(),
  max: z.number().optional(),
});

const JOB = z.enum(JOB_NAMES);
const PLACE = { job: JOB, concurrency: z.number(), contender: z.string() };
/** On what it was measured, and by which command. */
const ORIGIN = { machine: z.string(), command: z.string() };

const CELL = z.strictObject({
  ...PLACE,
  requestsPerSecond: FIGURE,
  p50Ms: FIGURE.optional(),
  p99Ms: FIGURE.optional(),
  /** Share of a core that the load generator used. */
  generatorLoad: z.number().optional(),
  processes: z
    .array(z.strictObject({ role: z.string(), cpuSecondsPer10k: z.number(), mib: z.number().optional() }))
    .optional(),
});

/** A contender's figures divided by those of `against`, round by round. */
const RATIO = z.strictObject({
  ...PLACE,
  against: z.string(),
  requestsPerSecond: FIGURE,
  p50: FIGURE.optional(),
  p99: FIGURE.optional(),
  /** CPU time of the contender's own processes for a request. */
  cpu: FIGURE.optional(),
});

const RATE = z.strictObject({
  job: JOB,
  contender: z.string(),
  ratePerSecond: z.number(),
  heldRounds: z.number(),
  rounds: z.number(),
  /** Of the rounds in which the rate was held. */
  p50Ms: FIGURE.optional(),
  p99Ms: FIGURE.optional(),
});

const RUN = z.strictObject({ ...ORIGIN, cells: z.array(CELL), ratios: z.array(RATIO), rates: z.array(RATE) });

const SCALING = z.strictObject({ job: JOB, concurrency: z.number(), one: FIGURE, two: FIGURE, ratio: FIGURE });

const GROWTH_POINT = z.strictObject({
  curve: z.string(),
  job: JOB,
  x: z.number(),
  requestsPerSecond: FIGURE,
  cpuMicros: FIGURE.optional(),
  /** Resident memory of all hosts at its highest. */
  hostMib: FIGURE.optional(),
});

const SOAK_ROLE = z.strictObject({
  role: z.string(),
  earlyMib: z.number(),
  lateMib: z.number(),
  bytesPerRequest: z.number(),
  isFlat: z.boolean(),
});

const SWAP = z.strictObject({
  job: JOB,
  swaps: z.number(),
  failed: z.number(),
  quietP50Ms: FIGURE,
  swappedP50Ms: FIGURE,
  quietP99Ms: FIGURE,
  swappedP99Ms: FIGURE,
  /** Of p99, round by round. */
  ratio: FIGURE,
});

const FAIRNESS = z.strictObject({
  attack: z.string(),
  job: JOB,
  quietP99Ms: FIGURE,
  attackedP99Ms: FIGURE,
  /** Of p99, round by round. */
  ratio: FIGURE,
});

const FLEET = z.strictObject({
  plugins: z.number(),
  readyMs: z.number().optional(),
  hostMib: z.number().optional(),
  idleProcesses: z.number().optional(),
  idleCpu: z.number().optional(),
  firstRequestMs: z.number().optional(),
  warmMs: z.number().optional(),
  runnerMib: z.number().optional(),
});

const FIGURES = z.strictObject({
  basic: RUN,
  hosts: RUN,
  jobs: RUN,
  languages: RUN,
  rates: RUN,
  scaling: z.strictObject({ ...ORIGIN, rows: z.array(SCALING) }),
  growth: z.strictObject({ ...ORIGIN, points: z.array(GROWTH_POINT), cliffs: z.array(z.string()) }),
  soak: z.strictObject({ ...ORIGIN, requests: z.number(), seconds: z.number(), roles: z.array(SOAK_ROLE) }),
  swap: z.strictObject({ ...ORIGIN, rows: z.array(SWAP) }),
  fairness: z.strictObject({ ...ORIGIN, rows: z.array(FAIRNESS) }),
  /** `idlePluginKib`: of the host, for each plugin that nobody asks for. */
  fleet: z.strictObject({ ...ORIGIN, rows: z.array(FLEET), idlePluginKib: z.number() }),
});

export type Figures = z.infer<typeof FIGURES>;
export type Figure = z.infer<typeof FIGURE>;
export type PublishedRun = z.infer<typeof RUN>;
export type PublishedCell = z.infer<typeof CELL>;
export type PublishedRatio = z.infer<typeof RATIO>;

/** @throws {@link BenchError} for a file that has another form */
export async function readFigures(path: string = FIGURES_FILE): Promise<Figures> {
  const parsed = FIGURES.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new BenchError(`${path} cannot be used:\n${z.prettifyError(parsed.error)}`);
}
