/**
 * The jobs: what a request asks for and which plugin does it. The payloads and the checks of the replies are the load
 * generators'.
 *
 * @module
 */

import type { ComponentName } from "./components.ts";
import type { JobSpec } from "./load-spec.ts";

export const JOB_NAMES = [
  "echo",
  "kv",
  "echo-4k",
  "kv-hot",
  "kv-standalone",
  "seed",
  "compute",
  "compute-long",
  "mix",
  "typescript",
  "python",
  "plugin-go",
  "plugin-starling",
] as const;

export type JobName = (typeof JOB_NAMES)[number];

/** What a responder does, whichever way it is made; the responders' first argument. */
export type Work = "echo" | "kv" | "seed" | "compute";

/** One job. */
export interface Job {
  readonly name: JobName;
  /** One line for the report. */
  readonly summary: string;
  readonly work: Work;
  /** The request's method. */
  readonly method: string;
  /** `chosen` is the one of this run, `standalone` always a MongoDB without replica set. */
  readonly store: "none" | "chosen" | "standalone";
  /** The stored value grows with every request: the store is emptied before each measurement. */
  readonly grows: boolean;
  /** The components that do it in a host of plugins, one plugin for each. */
  readonly components: readonly ComponentName[];
  /** Requests in flight that are measured when nothing else is asked for; all of the run's if absent. */
  readonly concurrencies?: readonly number[];
  /** Load before each measurement, at least. */
  readonly leastWarmUpMs?: number;
  /** Load before the first measurement, where the usual one is too little. */
  readonly settle?: { readonly leastMs: number; readonly concurrency: number };
  /** Is it measured at fixed rates, too? */
  readonly hasRates: boolean;
  readonly load: JobSpec;
}

const ECHO_BYTES = 64;
const KEYS = 1_000;
const VALUE_BYTES = 64;
const PLUGINS_OF_MIX = 50;
const SOME_CONCURRENCIES = [16, 64];
/** About a millisecond of a core of 3 GHz: a multiplication and an addition, each waiting for the one before. */
const COMPUTE_TURNS = 750_000;
/** So long that what a request costs beside its computing hardly counts. */
const LONG_COMPUTE_TURNS = 10 * COMPUTE_TURNS;

/**
 * The host needs half a second to see that a plugin could use a further process, and some to start it. It lets it go while
 * others are measured.
 */
const RUNNER_GROWTH_MS = 2_000;

/**
 * V8 compiles an interpreter of 20 MiB function by function, as they become hot: it gets faster for that long. There are so many
 * requests in flight that each of its processes does.
 */
const INTERPRETER_SETTLE = { leastMs: 20_000, concurrency: 64 };

const ECHO: Omit<Job, "name" | "summary"> = {
  work: "echo",
  method: "echo",
  store: "none",
  grows: false,
  components: ["echo"],
  hasRates: false,
  load: { kind: "echo", bytes: ECHO_BYTES },
};

const COMPUTE: Omit<Job, "name" | "summary" | "load"> = {
  ...ECHO,
  work: "compute",
  method: "compute",
  components: ["compute"],
  leastWarmUpMs: RUNNER_GROWTH_MS,
};

const KV: Omit<Job, "name" | "summary"> = {
  work: "kv",
  method: "get-set",
  store: "chosen",
  grows: false,
  components: ["key-value"],
  hasRates: false,
  load: { kind: "kv", bytes: VALUE_BYTES, bucket: "bench", keys: KEYS },
};

const SEED: Omit<Job, "name" | "summary"> = {
  work: "seed",
  method: "append",
  store: "chosen",
  grows: true,
  components: ["user-data-rust"],
  concurrencies: SOME_CONCURRENCIES,
  hasRates: false,
  load: { kind: "fixed", payload: "bench", reply: "Successfully processed" },
};

const GET_SET = `reads a key's value, writes a new one of ${VALUE_BYTES} bytes and replies with the old`;

const JOB_LIST: readonly Job[] = [
  { ...ECHO, name: "echo", summary: `replies with the request's ${ECHO_BYTES} bytes`, hasRates: true },
  { ...KV, name: "kv", summary: `${GET_SET}; ${KEYS.toLocaleString("en")} keys`, hasRates: true },
  {
    ...ECHO,
    name: "echo-4k",
    summary: "replies with the request's 4,096 bytes",
    concurrencies: SOME_CONCURRENCIES,
    load: { kind: "echo", bytes: 4_096 },
  },
  {
    ...KV,
    name: "kv-hot",
    summary: `${GET_SET}; one key for all`,
    concurrencies: SOME_CONCURRENCIES,
    load: { kind: "kv", bytes: VALUE_BYTES, bucket: "bench-hot", keys: 1, shared: true },
  },
  {
    ...KV,
    name: "kv-standalone",
    summary: `${GET_SET}; ${KEYS.toLocaleString("en")} keys, MongoDB without a replica set`,
    store: "standalone",
    concurrencies: SOME_CONCURRENCIES,
  },
  { ...SEED, name: "seed", summary: "appends to one stored value, by the example in Rust" },
  {
    ...COMPUTE,
    name: "compute",
    summary: `${COMPUTE_TURNS.toLocaleString("en")} dependent multiplications and additions: about a millisecond`,
    concurrencies: SOME_CONCURRENCIES,
    load: { kind: "compute", turns: COMPUTE_TURNS },
  },
  {
    ...COMPUTE,
    name: "compute-long",
    summary: `${LONG_COMPUTE_TURNS.toLocaleString("en")} of them: about ten milliseconds`,
    concurrencies: [16],
    load: { kind: "compute", turns: LONG_COMPUTE_TURNS },
  },
  {
    ...ECHO,
    name: "mix",
    summary: `the echo of ${PLUGINS_OF_MIX} plugins in turn, of two kinds`,
    components: Array.from({ length: PLUGINS_OF_MIX }, (_, plugin) => (plugin % 2 === 0 ? "echo" : "gauntlet")),
    concurrencies: SOME_CONCURRENCIES,
  },
  languageJob("typescript", "key-value-quickjs", "JavaScript on QuickJS, which TypeScript becomes"),
  { ...languageJob("python", "key-value-python", "Python"), settle: INTERPRETER_SETTLE },
  languageJob("plugin-go", "key-value-go", "Go"),
  {
    ...languageJob("plugin-starling", "key-value-starling", "JavaScript on StarlingMonkey"),
    settle: INTERPRETER_SETTLE,
  },
];

/** The work of `kv` in another language: values that do not grow, so that fast and slow plugins do the same work. */
function languageJob(name: JobName, component: ComponentName, language: string): Job {
  return {
    ...KV,
    name,
    summary: `${GET_SET}; ${KEYS.toLocaleString("en")} keys, by a plugin in ${language}`,
    components: [component],
    concurrencies: SOME_CONCURRENCIES,
  };
}

export const JOBS = Object.fromEntries(JOB_LIST.map((job) => [job.name, job])) as Readonly<Record<JobName, Job>>;

/** Measured where not every job is. */
export const BASIC_JOBS: readonly JobName[] = ["echo", "kv"];

/** Requests in flight where neither the plan nor the job says otherwise. */
export const CONCURRENCIES: readonly number[] = [1, 16, 64, 256];

/** How many requests in flight fill the store before the first measurement. */
export const FILL_CONCURRENCY = 20;
