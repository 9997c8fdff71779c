/**
 * The attacks: what a hostile plugin does while others on its replica work. Its callers are ordinary: they keep a
 * number of requests in flight and heed `Retry-After-Ms`. Callers that do not are another matter, of NATS's permissions.
 *
 * @module
 */

import { DEFAULT_PLUGIN_LIMITS } from "../../src/contract/limits.ts";

export const ATTACK_NAMES = [
  "busy",
  "spin",
  "kill",
  "memory",
  "trap",
  "log",
  "kv-large",
  "kv-read",
  "kv-many",
  "http",
] as const;

export type AttackName = (typeof ATTACK_NAMES)[number];

/** One attack. */
export interface Attack {
  readonly name: AttackName;
  /** One line for the report. */
  readonly summary: string;
  /** The hostile component, below the repository's root. */
  readonly component: string;
  readonly method: string;
  /** A request that is sent once before, to store what the attack needs. */
  readonly preparation?: { readonly method: string; readonly payload: string };
  /** Payload of each request. `sink` is the authority of a server that answers every HTTP request. */
  payload(sink: string): string;
  /** Requests kept in flight. */
  readonly concurrency: number;
  /** The callers' patience, where it is shorter than the plugin's deadline. */
  readonly timeoutMs?: number;
}

/** More requests than these are refused at the door, and larger values than these by the broker. */
const { concurrency: FULL, valueBytes: VALUE_BYTES } = DEFAULT_PLUGIN_LIMITS;

const ECHO = "examples/echo-c/echo.wasm";
const SPINNER = "test/components/gauntlet-none.wasm";
const KEEPER = "test/components/gauntlet-read-write.wasm";

export const ATTACKS: Readonly<Record<AttackName, Attack>> = {
  busy: {
    name: "busy",
    summary: "no attack: a plugin in order, with as many requests as it can take",
    component: ECHO,
    method: "echo",
    payload: () => "x".repeat(64),
    concurrency: FULL,
  },
  spin: {
    name: "spin",
    summary: "computes for ever: each call is stopped at the deadline of 5 s",
    component: SPINNER,
    method: "loop",
    payload: () => "",
    concurrency: FULL,
  },
  kill: {
    name: "kill",
    summary: "computes for ever, with callers that wait 100 ms: calls are stopped all the time",
    component: SPINNER,
    method: "loop",
    payload: () => "",
    concurrency: FULL,
    timeoutMs: 100,
  },
  memory: {
    name: "memory",
    summary: "takes and touches all the memory that one instance may have, then traps",
    component: SPINNER,
    method: "hog",
    payload: () => "",
    concurrency: FULL,
  },
  trap: {
    name: "trap",
    summary: "traps at once",
    component: SPINNER,
    method: "trap",
    payload: () => "",
    concurrency: FULL,
  },
  log: {
    name: "log",
    summary: "logs 1,024 lines, as much as a request may",
    component: SPINNER,
    method: "log-flood",
    payload: () => "1024\n60",
    concurrency: FULL,
  },
  "kv-large": {
    name: "kv-large",
    summary: "writes values of 1 MiB, the largest by default",
    component: KEEPER,
    method: "set-size",
    payload: () => `flood\nkey\n${VALUE_BYTES}`,
    concurrency: FULL,
  },
  "kv-read": {
    name: "kv-read",
    summary: "reads values of 1 MiB and replies with them",
    component: KEEPER,
    preparation: { method: "set-size", payload: `flood\nlarge\n${VALUE_BYTES}` },
    method: "get",
    payload: () => "flood\nlarge",
    concurrency: FULL,
  },
  "kv-many": {
    name: "kv-many",
    summary: "reads and writes small values, as fast as it can",
    component: KEEPER,
    method: "get-set",
    payload: () => `flood\nkey\n${"x".repeat(64)}`,
    concurrency: FULL,
  },
  http: {
    name: "http",
    summary: "sends HTTP requests to a server that answers at once, as fast as it can",
    component: "test/components/gauntlet-http.wasm",
    method: "http",
    payload: (sink) => `${sink}\n/`,
    concurrency: FULL,
  },
};
