/**
 * The state of a plugin's processes, and the answer to a request for which there is no process.
 *
 * @module
 */

import type { Runner } from "../process/runner.ts";

/** The outcome of a start that requests wait for. */
export type Started = Promise<Runner | RunnerUnavailable>;

/** The state of a plugin's processes. The processes themselves are in the `RunnerSet`. */
export type PluginRunnerState =
  /** There is no process, and no request has asked for one. */
  | { readonly kind: "cold" }
  /** A start for the loader, or after a process ended, with the circuit closed. */
  | { readonly kind: "starting" }
  /** Requests wait for the start. */
  | { readonly kind: "warming"; readonly started: Started }
  | { readonly kind: "ready" }
  /** The process ended; the next start is planned. */
  | { readonly kind: "waiting"; readonly untilMs: number; readonly timer: NodeJS.Timeout }
  /** The circuit is open; the next start is planned. */
  | { readonly kind: "open"; readonly untilMs: number; readonly timer: NodeJS.Timeout }
  /** A start with the circuit open. */
  | { readonly kind: "trial-starting" }
  /** One request at a time, until the process has survived one. */
  | { readonly kind: "half-open"; readonly process: Runner }
  | { readonly kind: "closed" };

export interface RunnerStart {
  /** Earlier processes kept ending or hardly paused: this one must start with a low priority. */
  readonly isSuspect: boolean;
  /** Gives the start up. */
  readonly signal: AbortSignal;
}

/** Why there is no process for a request. */
export interface RunnerUnavailable {
  readonly retryAfterMs: number;
  /** For the log. */
  readonly reason: string;
}

/** What a caller gets as the time to retry after while a start or a trial is in progress. */
export const START_HINT_MS = 250;

/** For a request that does not wait for the start, or comes after the end. */
export const STARTING: RunnerUnavailable = {
  retryAfterMs: START_HINT_MS,
  reason: "the plugin's runner is being restarted",
};

export const ON_TRIAL: RunnerUnavailable = {
  retryAfterMs: START_HINT_MS,
  reason: "the circuit is half-open: another request is on trial",
};
