/**
 * Keeps a runner alive for one plugin version: started once on purpose, restarted with back-off when it ends
 * by itself. While there is none, requests are refused at once with the time after which to try again; they
 * are never queued.
 *
 * A runner that keeps ending soon after its start opens the plugin's *circuit*: nothing is started until a
 * longer back-off is over, and then one request is let through on trial. If the runner survives it, the
 * circuit closes; if not, it opens again, for longer.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import type { RunnerExit, RunnerProcess } from "./runner-process.ts";

/** Where a plugin's runner stands. */
export type PluginRunnerState =
  /** The first start, or one with the circuit closed. */
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly process: RunnerProcess }
  /** It ended; the next start is planned. */
  | { readonly kind: "waiting"; readonly untilMs: number; readonly timer: NodeJS.Timeout }
  /** The circuit is open; the next start is planned. */
  | { readonly kind: "open"; readonly untilMs: number; readonly timer: NodeJS.Timeout }
  /** A start after the circuit was open. */
  | { readonly kind: "trial-starting" }
  /** One request at a time, until the process has survived one. */
  | { readonly kind: "half-open"; readonly process: RunnerProcess }
  | { readonly kind: "closed" };

/** How a process is to be started. */
export interface RunnerStart {
  /** Those before it kept ending: it must not take the processor from others. */
  readonly isSuspect: boolean;
  /** Gives the start up. */
  readonly signal?: AbortSignal;
}

/** Why there is no process for a request. */
export interface RunnerUnavailable {
  readonly retryAfterMs: number;
  /** For the log. */
  readonly reason: string;
}

/** Told of what an operator should know. */
export interface PluginRunnerEvents {
  /** The process ended without being asked to; it is started again after `delayMs`. */
  ended(exit: RunnerExit, delayMs: number): void;
  /** A restart failed; the next try is after `delayMs`. */
  restartFailed(error: unknown, delayMs: number): void;
  restarted(): void;
  /** The circuit opened, once more or for the first time: nothing is started for `delayMs`. */
  circuitOpened(failures: number, delayMs: number): void;
  /** The process survived a request. */
  circuitClosed(): void;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;
/** A runner that lived this long had not failed in a row. */
const STABLE_MS = 10_000;
/** One failure happens to anybody. */
const SUSPECT_FAILURES = 2;
/** What a caller is told while a start or a trial is under way. */
const START_HINT_MS = 250;

export class PluginRunner {
  readonly #start: (start: RunnerStart) => Promise<RunnerProcess>;
  readonly #events: PluginRunnerEvents;
  #state: PluginRunnerState = { kind: "starting" };
  #failuresInARow = 0;
  #restarts = 0;

  /** `start` makes a new process each time it is called. Call {@link open} next. */
  constructor(start: (start: RunnerStart) => Promise<RunnerProcess>, events: PluginRunnerEvents) {
    this.#start = start;
    this.#events = events;
  }

  /**
   * The first start; `signal` gives it up. What it throws is the caller's to handle; there is no retry of a first
   * start.
   */
  async open(signal?: AbortSignal): Promise<void> {
    this.#adopt(await this.#start({ isSuspect: false, ...(signal !== undefined && { signal }) }));
  }

  /** The process to run a request on, or how long to wait for one. */
  get current(): RunnerProcess | RunnerUnavailable {
    const state = this.#state;
    switch (state.kind) {
      case "ready":
        return state.process.isReady ? state.process : STARTING;
      case "half-open":
        return state.process.isReady && state.process.isQuiet ? state.process : ON_TRIAL;
      case "waiting":
        return { retryAfterMs: untilThen(state.untilMs), reason: STARTING.reason };
      case "open":
        return { retryAfterMs: untilThen(state.untilMs), reason: "the circuit is open: its runner keeps ending" };
      case "starting":
      case "trial-starting":
      case "closed":
        return STARTING;
    }
  }

  /** Times that the process was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Asks the running process for its levels. Throws `probe-failed`. */
  async probe(): Promise<AccessLevelBits> {
    const process = this.#process;
    if (process === undefined) throw new HostError("probe-failed", "the plugin's runner is not running");
    return await process.probe();
  }

  /** Ends the process and every restart. Idempotent. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "waiting" || state.kind === "open") clearTimeout(state.timer);
    if (state.kind === "ready" || state.kind === "half-open") await state.process.close();
  }

  /** The process there is, if there is one. */
  get #process(): RunnerProcess | undefined {
    return this.#state.kind === "ready" || this.#state.kind === "half-open" ? this.#state.process : undefined;
  }

  #adopt(process: RunnerProcess): void {
    const { kind } = this.#state;
    if (kind === "closed") {
      void process.close();
      return;
    }
    this.#state = { kind: kind === "trial-starting" ? "half-open" : "ready", process };
    if (kind === "trial-starting") void process.proven.then(() => this.#survived(process));
    const startedMs = performance.now();
    void process.exited.then((exit) => {
      if (this.#process !== process) return;
      if (performance.now() - startedMs >= STABLE_MS) this.#failuresInARow = 0;
      this.#planStart((delayMs) => this.#events.ended(exit, delayMs));
    });
  }

  /** The trial went well. One failure more, soon, and the circuit is open again. */
  #survived(process: RunnerProcess): void {
    if (this.#state.kind !== "half-open" || this.#process !== process || !process.isReady) return;
    this.#state = { kind: "ready", process };
    this.#failuresInARow = FIXED_LIMITS.circuitFailures - 1;
    this.#events.circuitClosed();
  }

  /** Plans the next start: at once after a first failure, later and later after failures in a row. */
  #planStart(report: (delayMs: number) => void): void {
    const delayMs =
      this.#failuresInARow === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failuresInARow - 1));
    this.#failuresInARow += 1;
    const isOpen = this.#failuresInARow >= FIXED_LIMITS.circuitFailures;
    const timer = setTimeout(() => void this.#restart(isOpen ? "trial-starting" : "starting"), delayMs);
    this.#state = { kind: isOpen ? "open" : "waiting", untilMs: performance.now() + delayMs + START_HINT_MS, timer };
    report(delayMs);
    if (isOpen) this.#events.circuitOpened(this.#failuresInARow, delayMs);
  }

  async #restart(kind: "starting" | "trial-starting"): Promise<void> {
    this.#state = { kind };
    try {
      const process = await this.#start({ isSuspect: this.#failuresInARow >= SUSPECT_FAILURES });
      this.#restarts += 1;
      this.#adopt(process);
      this.#events.restarted();
    } catch (error) {
      // Closed while it was starting: nobody needs the runner any more.
      if (this.#isClosed()) return;
      this.#planStart((delayMs) => this.#events.restartFailed(error, delayMs));
    }
  }

  #isClosed(): boolean {
    return this.#state.kind === "closed";
  }
}

const STARTING: RunnerUnavailable = {
  retryAfterMs: START_HINT_MS,
  reason: "the plugin's runner is being restarted",
};

const ON_TRIAL: RunnerUnavailable = {
  retryAfterMs: START_HINT_MS,
  reason: "the circuit is half-open: another request is on trial",
};

/** Milliseconds until then, at least one. */
function untilThen(thenMs: number): number {
  return Math.max(1, Math.ceil(thenMs - performance.now()));
}
