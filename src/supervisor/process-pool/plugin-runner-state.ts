/**
 * Where a plugin's processes stand, and what a request is told where there is none for it.
 *
 * @module
 */

import type { Runner } from "../process/runner.ts";

/** What came out of a start that requests wait for. */
export type Started = Promise<Runner | RunnerUnavailable>;

/** Where a plugin's processes stand. Those that there are, are in the runner's set. */
export type PluginRunnerState =
  /** None, and nobody has asked for one. */
  | { readonly kind: "cold" }
  /** The start that was asked for by the loader, or one after an end with the circuit closed. */
  | { readonly kind: "starting" }
  /** Requests wait for the start. */
  | { readonly kind: "warming"; readonly started: Started }
  | { readonly kind: "ready" }
  /** It ended; the next start is planned. */
  | { readonly kind: "waiting"; readonly untilMs: number; readonly timer: NodeJS.Timeout }
  /** The circuit is open; the next start is planned. */
  | { readonly kind: "open"; readonly untilMs: number; readonly timer: NodeJS.Timeout }
  /** A start after the circuit was open. */
  | { readonly kind: "trial-starting" }
  /** One request at a time, until the process has survived one. */
  | { readonly kind: "half-open"; readonly process: Runner }
  | { readonly kind: "closed" };

/** How a process is to be started. */
export interface RunnerStart {
  /** Those before it kept ending: it must not take the processor from others. */
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

/** What a caller is told while a start or a trial is under way. */
export const START_HINT_MS = 250;

/** For a request that does not wait for the start, or comes before it or after the end. */
export const STARTING: RunnerUnavailable = {
  retryAfterMs: START_HINT_MS,
  reason: "the plugin's runner is being restarted",
};

export const ON_TRIAL: RunnerUnavailable = {
  retryAfterMs: START_HINT_MS,
  reason: "the circuit is half-open: another request is on trial",
};
