/**
 * The jobs: what a request asks for and which plugin does it. The payloads and the checks of the replies are the load
 * generators'.
 *
 * @module
 */

import type { JobSpec } from "./load-spec.ts";

export const JOB_NAMES = ["echo", "kv"] as const;

export type JobName = (typeof JOB_NAMES)[number];

/** One job. */
export interface Job {
  readonly name: JobName;
  /** One line for the report. */
  readonly summary: string;
  /** The request's method. */
  readonly method: string;
  readonly usesStore: boolean;
  /** The component that does it in the host, below the repository's root. */
  readonly component: string;
  readonly load: JobSpec;
}

const ECHO_BYTES = 64;
const KEYS = 1_000;
const VALUE_BYTES = 64;

export const JOBS: Readonly<Record<JobName, Job>> = {
  echo: {
    name: "echo",
    summary: `replies with the request's ${ECHO_BYTES} bytes`,
    method: "echo",
    usesStore: false,
    component: "examples/echo-c/echo.wasm",
    load: { kind: "echo", bytes: ECHO_BYTES },
  },
  kv: {
    name: "kv",
    summary: `reads a key's value, writes a new one and replies with the old; ${KEYS.toLocaleString("en")} keys, values of ${VALUE_BYTES} bytes`,
    method: "get-set",
    usesStore: true,
    component: "test/components/gauntlet-read-write.wasm",
    load: { kind: "kv", bytes: VALUE_BYTES, bucket: "bench", keys: KEYS },
  },
};

/** How many requests in flight fill the store before the first measurement. */
export const FILL_CONCURRENCY = 20;
