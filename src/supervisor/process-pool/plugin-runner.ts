/**
 * Keeps the processes of one plugin version. The first request starts one, and waits for it together with the requests
 * that arrive meanwhile. Each of them holds a place of its plugin and has its own deadline, so the queue is bounded. A
 * plugin that computes without pausing gets more processes; one that is idle for its `idleMs` loses all of them and is
 * cold again.
 *
 * A process whose answer to a ping is late, because its guest computes, gets no calls until it answers. Other processes
 * take them, or one more is started for them, or they wait as for a first start. Calls that a process had not begun
 * when it ended begin on another one.
 *
 * A process that ends by itself is replaced. The first time that happens at once, and requests wait for the start;
 * later starts back off, and requests are refused with the time after which to try again. If a plugin's processes keep
 * ending soon after their start, its *circuit* opens: nothing is started until a longer back-off is over, and then one
 * request is let through on trial. If the process survives it, the circuit closes; if not, it opens again, for longer.
 *
 * @module
 */

import type { AccessLevelBits } from "../../contract/access-levels.ts";
import { HostError } from "../../errors/host-error.ts";
import { Departures } from "./departures.ts";
import { FailureStreak } from "./failure-streak.ts";
import type { PluginRunnerEvents } from "./plugin-runner-events.ts";
import {
  ON_TRIAL,
  type PluginRunnerState,
  type RunnerStart,
  type RunnerUnavailable,
  START_HINT_MS,
  type Started,
  STARTING,
} from "./plugin-runner-state.ts";
import type { Runner, RunnerExit } from "../process/runner.ts";
import { RunnerSet } from "./runner-set.ts";
import type { SizeBounds } from "./runner-size.ts";

/** How often the plugin's use of its processes is reviewed, to start or retire one. */
const REVIEW_MS = 250;

/** When calls that no process can take have waited this long, one more process is started for them … */
const HELP_AFTER_MS = 75;
/**
 * … if a late process computed for this long meanwhile. If none did, they only lack a processor, and one more would
 * too.
 */
const COMPUTED_MS = 25;
/** After a further process failed to start, how long no other is tried. */
const GROWTH_PAUSE_MS = 1_000;

export class PluginRunner {
  readonly #start: (start: RunnerStart) => Promise<Runner>;
  readonly #events: PluginRunnerEvents;
  readonly #bounds: SizeBounds;
  readonly #set: RunnerSet;
  readonly #departures = new Departures();
  readonly #streak = new FailureStreak();
  #state: PluginRunnerState = { kind: "cold" };
  #starts: AbortController | undefined;
  #review: NodeJS.Timeout | undefined;
  #isGrowing = false;
  /** When the youngest process entered service. */
  #adoptedMs = 0;
  /** Did the process that ended last compute almost without pausing? */
  #wasHog = false;
  /** Calls for which no process is free. */
  #waiting = 0;
  /** Resolves when one may have become free, or when the last process is gone. */
  #changed: PromiseWithResolvers<void> | undefined;
  #helpTimer: NodeJS.Timeout | undefined;
  /** A further process failed to start: no other is tried before this. */
  #growableMs = 0;

  /** `start` makes a new process each time it is called. */
  constructor(
    start: (start: RunnerStart) => Promise<Runner>,
    events: PluginRunnerEvents,
    bounds: SizeBounds = { runners: 1, idleMs: Number.POSITIVE_INFINITY },
  ) {
    this.#start = start;
    this.#events = events;
    this.#bounds = bounds;
    this.#set = new RunnerSet(bounds);
  }

  /**
   * Starts a process ahead of the first request; {@link close} gives it up. Rejects with the start's error, and does
   * not try again.
   */
  async open(): Promise<void> {
    this.#state = { kind: "starting" };
    const startMs = performance.now();
    try {
      this.#adopt(await this.#launch(false));
    } catch (error) {
      if (!this.#isClosed()) this.#state = { kind: "cold" };
      throw error;
    }
    this.#events.started("load", performance.now() - startMs);
  }

  /** A process for a request, one to wait for, or the time after which to try again. The promise never rejects. */
  acquire(): Runner | RunnerUnavailable | Started {
    const state = this.#state;
    switch (state.kind) {
      case "ready":
        return this.#set.pick() ?? this.#whenFree();
      case "cold":
        return this.#warm();
      case "warming":
        return state.started;
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

  /** Does a process exist, or is one being started or planned? */
  get isWarm(): boolean {
    return this.#state.kind !== "cold" && this.#state.kind !== "closed";
  }

  /** Asks a running process for the plugin's access levels. Throws `probe-failed`, among others. */
  async probe(): Promise<AccessLevelBits> {
    const process = this.#set.pick();
    if (process === undefined) throw new HostError("probe-failed", "the plugin's runner is not running");
    return await process.probe();
  }

  /** Ends every process; the next request starts one. */
  async cool(): Promise<void> {
    if (this.#state.kind !== "ready") return;
    this.#letAllGo();
    await this.#departures.close();
  }

  /** Ends every process and every restart. Idempotent. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "waiting" || state.kind === "open") clearTimeout(state.timer);
    clearTimeout(this.#helpTimer);
    this.#starts?.abort();
    this.#stopReview();
    for (const process of this.#set.clear()) this.#departures.add(process);
    this.#noteChange();
    await this.#departures.close();
  }

  /**
   * Starts a process for the first request of a cold plugin. With the circuit open that request is a trial, and no
   * other waits with it.
   */
  #warm(): Started {
    const startMs = performance.now();
    const started = this.#startOne(() => this.#events.started("request", performance.now() - startMs));
    this.#state = this.#streak.isOpen ? { kind: "trial-starting" } : { kind: "warming", started };
    return started;
  }

  /** A start that requests may wait for; `succeeded` reports it. */
  #startOne(succeeded: () => void): Started {
    return this.#launch(this.#streak.isSuspect || this.#wasHog).then(
      (process) => {
        this.#adopt(process);
        if (this.#isClosed()) return STARTING;
        succeeded();
        return process;
      },
      (error: unknown) => {
        if (this.#isClosed()) return STARTING;
        this.#planStart((delayMs) => this.#events.startFailed(error, delayMs));
        return { retryAfterMs: START_HINT_MS, reason: `the plugin's runner cannot be started: ${textOf(error)}` };
      },
    );
  }

  /** Waits until a process can take a call, or the last process is gone. */
  async #whenFree(): Started {
    this.#waiting += 1;
    this.#planHelp();
    this.#changed ??= Promise.withResolvers<void>();
    await this.#changed.promise;
    this.#waiting -= 1;
    return await this.acquire();
  }

  #noteChange(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  #latenessChanged(process: Runner): void {
    if (!process.isLate) this.#noteChange();
    else if (process.callsUnbegun > 0) {
      if (this.#set.pick() !== undefined) process.recall();
      else this.#planHelp();
    }
  }

  #planHelp(): void {
    if (this.#helpTimer === undefined) this.#lookForHelp(this.#set.samples());
  }

  /** Checks repeatedly whether calls still wait for processes that compute, and starts one more for them. */
  #lookForHelp(since: ReturnType<RunnerSet["samples"]>): void {
    this.#helpTimer = setTimeout(() => {
      this.#helpTimer = undefined;
      if (!this.#isReady() || this.#set.pick() !== undefined) return;
      if (this.#waiting === 0 && !this.#set.hasUnbegun) return;
      if (this.#mayGrow && this.#set.hasComputed(since, COMPUTED_MS)) void this.#grow();
      this.#lookForHelp(since);
    }, HELP_AFTER_MS).unref();
  }

  /** May the plugin have one more process, and is there no recent failure to start one? */
  get #mayGrow(): boolean {
    const { isOpen } = this.#streak;
    return this.#set.size < this.#bounds.runners && !isOpen && performance.now() >= this.#growableMs;
  }

  async #launch(isSuspect: boolean): Promise<Runner> {
    this.#starts ??= new AbortController();
    return await this.#start({ isSuspect, signal: this.#starts.signal });
  }

  /** Takes a started process into service. */
  #adopt(process: Runner): void {
    this.#events.counted(1);
    void process.exited.then(() => this.#events.counted(-1));
    const { kind } = this.#state;
    if (kind === "closed") {
      this.#departures.add(process);
      return;
    }
    this.#set.add(process);
    process.watchLateness(() => this.#latenessChanged(process));
    if (kind === "trial-starting") {
      this.#state = { kind: "half-open", process };
      void process.proven.then(() => this.#survived(process));
    } else this.#state = { kind: "ready" };
    this.#review ??= setInterval(() => this.#resize(), Math.min(REVIEW_MS, this.#bounds.idleMs)).unref();
    const adoptedMs = performance.now();
    this.#adoptedMs = adoptedMs;
    void process.exited.then((exit) => this.#ended(process, exit, performance.now() - adoptedMs));
    this.#set.recallFromLate();
    this.#noteChange();
  }

  /** A process ended. Ignores a retired one, which is no longer in the set. */
  #ended(process: Runner, exit: RunnerExit, livedMs: number): void {
    if (!this.#set.remove(process)) return;
    this.#wasHog = exit.wasHog;
    this.#streak.lived(livedMs);
    if (this.#set.size === 0) this.#planStart((delayMs) => this.#events.ended(exit, delayMs));
    else {
      this.#streak.add();
      this.#events.ended(exit, undefined);
    }
    this.#noteChange();
  }

  #survived(process: Runner): void {
    if (this.#state.kind !== "half-open" || this.#state.process !== process || !process.isReady) return;
    this.#state = { kind: "ready" };
    this.#streak.survived();
    this.#events.circuitClosed();
  }

  #resize(): void {
    switch (this.#set.review()) {
      case "keep":
        return;
      case "stop":
        this.#letAllGo();
        this.#events.stopped("idle");
        return;
      case "shrink":
        this.#shrink();
        return;
      case "grow":
        if (this.#streak.isSteady) void this.#grow();
        return;
    }
  }

  async #grow(): Promise<void> {
    if (this.#isGrowing || this.#state.kind !== "ready") return;
    this.#isGrowing = true;
    const startMs = performance.now();
    try {
      const process = await this.#launch(this.#set.hasHog);
      if (!this.#isReady()) {
        await process.close();
        return;
      }
      this.#adopt(process);
      this.#events.started("busy", performance.now() - startMs);
    } catch (error) {
      this.#streak.add();
      this.#growableMs = performance.now() + GROWTH_PAUSE_MS;
      if (!this.#isClosed()) this.#events.startFailed(error, undefined);
    } finally {
      this.#isGrowing = false;
    }
  }

  #shrink(): void {
    const process = this.#set.pop();
    if (process === undefined) return;
    this.#departures.add(process);
    this.#events.stopped("surplus");
  }

  #letAllGo(): void {
    // A process that waits for its trial request has proven nothing, however long it waits.
    if (this.#state.kind === "ready") this.#streak.lived(performance.now() - this.#adoptedMs);
    this.#state = { kind: "cold" };
    this.#wasHog = false;
    this.#stopReview();
    for (const process of this.#set.clear()) this.#departures.add(process);
    this.#noteChange();
  }

  #stopReview(): void {
    clearInterval(this.#review);
    this.#review = undefined;
  }

  /** Plans the next start: at once after a first failure, with growing delays after failures in a row. */
  #planStart(report: (delayMs: number) => void): void {
    this.#stopReview();
    const delayMs = this.#streak.add();
    const { isOpen, failures } = this.#streak;
    if (delayMs === 0 && !isOpen) {
      report(delayMs);
      this.#state = { kind: "warming", started: this.#startOne(() => this.#events.restarted()) };
      return;
    }
    const timer = setTimeout(() => void this.#restart(isOpen ? "trial-starting" : "starting"), delayMs);
    this.#state = { kind: isOpen ? "open" : "waiting", untilMs: performance.now() + delayMs + START_HINT_MS, timer };
    report(delayMs);
    if (isOpen) this.#events.circuitOpened(failures, delayMs);
  }

  async #restart(kind: "starting" | "trial-starting"): Promise<void> {
    this.#state = { kind };
    try {
      this.#adopt(await this.#launch(this.#streak.isSuspect || this.#wasHog));
      this.#events.restarted();
    } catch (error) {
      // Closed during the start: no request needs the process.
      if (this.#isClosed()) return;
      this.#planStart((delayMs) => this.#events.startFailed(error, delayMs));
    }
  }

  #isClosed(): boolean {
    return this.#state.kind === "closed";
  }

  #isReady(): boolean {
    return this.#state.kind === "ready";
  }
}

/** Milliseconds until then, at least one. */
function untilThen(thenMs: number): number {
  return Math.max(1, Math.ceil(thenMs - performance.now()));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
