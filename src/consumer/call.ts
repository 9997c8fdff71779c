/**
 * One accepted request, from admission to its reply. The call owns everything that the request holds: its place, its
 * version and its part in the counters. It is settled exactly once, by whichever comes first: the plugin's outcome, the
 * deadline, the loss of the runner or the end of the drain. Settling releases all of that, sends the reply and writes
 * the record.
 *
 * @module
 */

import type { GateKey } from "../capabilities/host-side.ts";
import type { PluginLog } from "../capabilities/logging/host.ts";
import type { DroppedLog } from "../contract/log-rate.ts";
import type { LogLevel, Outcome } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { VersionLease } from "../registry/plugin-version.ts";
import type { Deadline } from "../scheduling/deadline-wheel.ts";
import type { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import { Link, type Ring } from "../scheduling/ring.ts";
import type { RunnerUnavailable } from "../supervisor/process-pool/plugin-runner-state.ts";
import type { RunnerCall } from "../supervisor/process/runner-call.ts";
import type { Runner } from "../supervisor/process/runner.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type LoggedOutcome, loggedOutcome, logRequest } from "../telemetry/request-log.ts";
import type { Permit } from "./admission.ts";
import type { DecodedRequest } from "./decode.ts";
import { denied, failed, UNEXPECTED } from "./failure.ts";
import type { AnswerFate, RequestOrigin } from "./reply.ts";
import type { ServedPlugin } from "./served-plugin.ts";
import type { ServedVersion } from "./served-version.ts";

/** A request that its version may run, if admission has a place for it. */
export interface AdmissibleRequest {
  readonly plugin: ServedPlugin;
  readonly served: ServedVersion;
  readonly origin: RequestOrigin;
  readonly decoded: DecodedRequest;
}

/** What all calls of a replica share. */
export interface CallOptions {
  /** The calls that are not settled. */
  readonly open: Ring<Call>;
  readonly deadlines: DeadlineTimer;
  readonly logger: Logger;
}

const NO_RUNNER: RunnerUnavailable = { retryAfterMs: 0, reason: "the version has no runner" };

export class Call extends Link implements RunnerCall {
  storeMs = 0;
  isAfterOutage = false;
  isBusy = false;
  readonly #request: AdmissibleRequest;
  readonly #surroundings: CallOptions;
  readonly #permit: Permit;
  readonly #lease: VersionLease;
  /** Milliseconds from its arrival until it must be answered. */
  #budgetMs: number;
  /** Milliseconds from its arrival for which the plugin may compute, even if the caller waits for less. */
  #deadlineMs: number;
  #deadline: Deadline;
  /** What the plugin logs during the request; opened on first use, since most log nothing. */
  #log: PluginLog | undefined;
  #begunMs: number | undefined;
  #runner: Runner | undefined;
  #runnerCallId = 0;
  #state: "open" | "settled" = "open";
  #settled: PromiseWithResolvers<void> | undefined;

  /** Takes over the permit, and holds the version. */
  constructor(request: AdmissibleRequest, permit: Permit, surroundings: CallOptions) {
    super();
    const { plugin, served, decoded } = request;
    this.#request = request;
    this.#permit = permit;
    this.#surroundings = surroundings;
    this.#deadlineMs = served.version.authority.now.limits.deadlineMs;
    this.#budgetMs = Math.min(this.#deadlineMs, decoded.timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#lease = served.version.acquire();
    plugin.stats.begin();
    surroundings.open.push(this);
    this.#deadline = surroundings.deadlines.add(this.#dueMs, () => this.#overdue());
  }

  /** Starts the request on a runner of its version, now or when one is available. Never throws. */
  start(): void {
    this.#start(undefined);
  }

  /** Settles the request with this outcome and cancels it on its runner, unless it is settled already. */
  abandon(outcome: Outcome): void {
    if (this.#state === "settled") return;
    this.settle(outcome);
    const leftMs = this.#request.origin.arrivedMs + this.#deadlineMs - performance.now();
    this.#runner?.cancel(this.#runnerCallId, Math.max(0, leftMs));
  }

  /**
   * Applies a narrowing of its version's authority: shortens the deadline, and refuses the request if it is now denied
   * and has not begun.
   */
  review(): void {
    if (this.#state === "settled") return;
    const terms = this.#request.served.version.authority.now;
    if (terms.kind === "denied" && this.#begunMs === undefined) {
      this.abandon(denied(terms.denial));
      return;
    }
    const { deadlineMs } = terms.limits;
    this.#deadlineMs = Math.min(this.#deadlineMs, deadlineMs);
    if (deadlineMs >= this.#budgetMs) return;
    this.#budgetMs = deadlineMs;
    const { deadlines } = this.#surroundings;
    deadlines.cancel(this.#deadline);
    this.#deadline = deadlines.add(this.#dueMs, () => this.#overdue());
  }

  remainingMs(): number {
    return this.#dueMs - performance.now();
  }

  gate<Gate>(key: GateKey<Gate>): Gate {
    return this.#request.served.gates.of(key);
  }

  log(level: LogLevel, message: string): void {
    this.#openLog().log(level, message);
  }

  output(stream: 1 | 2, text: string): void {
    this.#openLog().output(stream, text);
  }

  note(text: string): void {
    this.#openLog().note(text);
  }

  dropped(dropped: DroppedLog): void {
    this.#openLog().dropped(dropped);
  }

  settle(outcome: Outcome): void {
    if (this.#state === "settled") return;
    this.#state = "settled";
    const { plugin, served, origin, decoded } = this.#request;
    this.#surroundings.deadlines.cancel(this.#deadline);
    this.unlink();
    this.#settled?.resolve();
    this.#permit[Symbol.dispose]();
    this.#lease[Symbol.dispose]();
    const { replyBytes } = served.version.authority.now.limits;
    const settledMs = performance.now();
    origin.reply({
      plugin: plugin.slot.name,
      owner: plugin,
      outcome: this.isAfterOutage ? afterOutage(outcome) : outcome,
      id: decoded.request.id,
      replyBytes,
      untilMs: origin.arrivedMs + (decoded.timeoutMs ?? this.#deadlineMs),
      settled: (fate, code) => this.#answered(outcome, fate, code, settledMs),
    });
  }

  /** Resolves when it is settled. */
  async whenSettled(): Promise<void> {
    if (this.#state === "settled") return;
    this.#settled ??= Promise.withResolvers<void>();
    await this.#settled.promise;
  }

  #answered(outcome: Outcome, fate: AnswerFate, code: ErrorCode | undefined, settledMs: number): void {
    const { plugin, origin } = this.#request;
    if (fate.kind === "sent") plugin.stats.end(code ?? "ok", performance.now() - origin.arrivedMs);
    else plugin.stats.giveUp(fate.reason);
    const logged = fate.kind === "sent" ? loggedOutcome(outcome, code) : { ...fate, code };
    this.#record(logged, settledMs);
  }

  returned(): void {
    this.#runner = undefined;
    this.#begunMs = undefined;
    // The version's authority may have been narrowed meanwhile.
    this.review();
    this.#start(undefined);
  }

  /** `started` is the outcome of a start that the call waited for. The deadline may have settled the call meanwhile. */
  #start(started: Runner | RunnerUnavailable | undefined): void {
    if (this.#state === "settled") return;
    try {
      const runner = started ?? this.#request.served.version.parts.runner?.acquire() ?? NO_RUNNER;
      if (runner instanceof Promise) void runner.then((there) => this.#start(there));
      else if ("retryAfterMs" in runner) this.#refuse(runner);
      else this.#begin(runner);
    } catch (error) {
      const { plugin, decoded } = this.#request;
      this.#surroundings.logger.error({ plugin: plugin.slot.name, id: decoded.request.id, err: error }, UNEXPECTED);
      this.abandon(failed("internal", UNEXPECTED));
    }
  }

  #refuse({ reason, retryAfterMs }: RunnerUnavailable): void {
    this.abandon(failed("plugin-unavailable", reason, { retryAfterMs }));
  }

  #begin(runner: Runner): void {
    const nowMs = performance.now();
    // After a stall of this process, its deadline's timer may be late.
    if (nowMs >= this.#dueMs) {
      this.#expire();
      return;
    }
    this.#begunMs = nowMs;
    this.#runnerCallId = runner.begin(this.#request.decoded.request, this, nowMs);
    this.#runner = runner;
  }

  /** When it must be answered. */
  get #dueMs(): number {
    return this.#request.origin.arrivedMs + this.#budgetMs;
  }

  /** Waits for the plugin's next turn: hundreds of calls may be overdue at the same moment. */
  #overdue(): void {
    this.#request.plugin.turns.defer(() => this.#expire());
  }

  #expire(): void {
    this.abandon(failed("deadline-exceeded", `not answered within ${this.#budgetMs} ms`));
  }

  #openLog(): PluginLog {
    if (this.#log === undefined) {
      const { plugin, served, decoded } = this.#request;
      const { authority } = served.version;
      this.#log = plugin.openLog(decoded.request.id, () => authority.now.limits.logBytes);
    }
    return this.#log;
  }

  #record(outcome: LoggedOutcome, endedMs: number): void {
    const { served, decoded, origin } = this.#request;
    const begunMs = this.#begunMs ?? endedMs;
    logRequest(served.records, {
      method: decoded.request.method,
      id: decoded.request.id,
      outcome,
      times: { queueMs: begunMs - origin.arrivedMs, runMs: endedMs - begunMs, storeMs: this.storeMs },
      traceId: decoded.traceId,
      droppedLogBytes: this.#log?.droppedBytes ?? 0,
    });
  }
}

/**
 * If the store failed during the call, the plugin's error or trap may follow from that: marks it, so that the caller
 * may retry.
 */
function afterOutage(outcome: Outcome): Outcome {
  return outcome.kind === "plugin-error" || outcome.kind === "trap" ? { ...outcome, isAfterOutage: true } : outcome;
}
