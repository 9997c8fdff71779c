/**
 * One accepted request, from admission to its reply. It is settled exactly once, by whichever comes first:
 * the plugin's outcome, the deadline, the loss of the runner or the end of the drain. Settling releases all
 * that the request holds: its place, its version, its timer.
 *
 * @module
 */

import type { Broker, OperationContext } from "../broker/broker.ts";
import type { PluginLog } from "../broker/logging.ts";
import type { OperationResult } from "../channel/messages.ts";
import type { HttpExchange, HttpRequest, HttpSink } from "../contract/http.ts";
import type { DroppedLog } from "../contract/log-rate.ts";
import type { LogLevel, Outcome } from "../contract/request.ts";
import type { Terms } from "../policy/authority.ts";
import type { RunnerUnavailable } from "../supervisor/plugin-runner-state.ts";
import type { CapabilityOperation, RunnerCall } from "../supervisor/runner-call.ts";
import type { RunnerProcess } from "../supervisor/runner-process.ts";
import type { TurnQueue } from "../supervisor/turn-queue.ts";
import type { DecodedRequest } from "./decode.ts";
import { denied } from "./failure.ts";

/** Times of a settled request in milliseconds. */
export interface CallTimes {
  /** From the request's arrival until it was handed to a runner: the start of a cold plugin's is in it. */
  readonly queueMs: number;
  /** From then until it was settled. */
  readonly runMs: number;
  /** Time within it that capability operations took, added up. */
  readonly storeMs: number;
}

/** What a call is made of. */
export interface CallParts {
  readonly decoded: DecodedRequest;
  /** When the message arrived, by the monotonic clock. */
  readonly arrivedMs: number;
  /** Milliseconds from the arrival until it must be answered. */
  readonly budgetMs: number;
  /** Milliseconds from the arrival for which the plugin may compute, whatever its caller's patience. */
  readonly deadlineMs: number;
  /** What its version may do, at each moment. */
  readonly terms: () => Terms;
  readonly broker: Broker;
  readonly log: PluginLog;
  /** For what happens to many requests at the same moment. */
  readonly turns: TurnQueue;
  /** Called exactly once; sends the reply and releases what the request holds. */
  readonly settled: (outcome: Outcome, times: CallTimes) => void;
}

export class Call implements RunnerCall {
  readonly #parts: CallParts;
  readonly #context: OperationContext;
  #budgetMs: number;
  #deadlineMs: number;
  /** When it was handed to a runner. */
  #begunMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #runner: RunnerProcess | undefined;
  #runnerCallId = 0;
  #state: "open" | "settled" = "open";

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.#budgetMs = parts.budgetMs;
    this.#deadlineMs = parts.deadlineMs;
    this.#context = {
      remainingMs: () => parts.arrivedMs + this.#budgetMs - performance.now(),
      storeMs: 0,
      note: (text) => parts.log.note(text),
    };
  }

  /** Hands the request to a runner and starts the clock. */
  start(runner: RunnerProcess): void {
    this.#startClock();
    this.#begin(runner);
  }

  /** Starts the clock and hands the request to the runner once there is one. */
  async startLater(starting: Promise<RunnerProcess | RunnerUnavailable>): Promise<void> {
    this.#startClock();
    const runner = await starting;
    if (this.#state === "settled") return;
    if ("retryAfterMs" in runner) this.refuse(runner);
    else this.#begin(runner);
  }

  /** There is no runner for it. */
  refuse({ reason, retryAfterMs }: RunnerUnavailable): void {
    this.abandon({ kind: "failed", code: "plugin-unavailable", message: reason, retryAfterMs });
  }

  /** Gives the request up with this outcome, unless it is settled already. */
  abandon(outcome: Outcome): void {
    if (this.#state === "settled") return;
    this.settle(outcome);
    const leftMs = this.#parts.arrivedMs + this.#deadlineMs - performance.now();
    this.#runner?.cancel(this.#runnerCallId, Math.max(0, leftMs));
  }

  /** Its version may do less than before: its time may be shorter, and where it has not begun it may not begin. */
  review(): void {
    if (this.#state === "settled") return;
    const terms = this.#parts.terms();
    if (terms.kind === "denied" && this.#begunMs === undefined) {
      this.abandon(denied(terms.denial));
      return;
    }
    const { deadlineMs } = terms.limits;
    this.#deadlineMs = Math.min(this.#deadlineMs, deadlineMs);
    if (deadlineMs >= this.#budgetMs) return;
    this.#budgetMs = deadlineMs;
    clearTimeout(this.#timer);
    this.#startClock();
  }

  perform(operation: CapabilityOperation): Promise<OperationResult> {
    return this.#parts.broker.perform(operation, this.#context);
  }

  openHttp(request: HttpRequest, sink: HttpSink): HttpExchange {
    return this.#parts.broker.openHttp(request, sink, this.#context);
  }

  log(level: LogLevel, message: string): void {
    this.#parts.log.log(level, message);
  }

  output(stream: 1 | 2, text: string): void {
    this.#parts.log.output(stream, text);
  }

  dropped(dropped: DroppedLog): void {
    this.#parts.log.dropped(dropped);
  }

  settle(outcome: Outcome): void {
    if (this.#state === "settled") return;
    this.#state = "settled";
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    const begunMs = this.#begunMs ?? nowMs;
    this.#parts.settled(outcome, {
      queueMs: begunMs - this.#parts.arrivedMs,
      runMs: nowMs - begunMs,
      storeMs: this.#context.storeMs,
    });
  }

  #startClock(): void {
    this.#timer = setTimeout(
      () => this.#parts.turns.defer(() => this.#expire()),
      Math.max(0, this.#context.remainingMs()),
    );
  }

  #begin(runner: RunnerProcess): void {
    this.#begunMs = performance.now();
    this.#runner = runner;
    this.#runnerCallId = runner.begin(this.#parts.decoded.request, this);
  }

  #expire(): void {
    this.abandon({
      kind: "failed",
      code: "deadline-exceeded",
      message: `not answered within ${this.#budgetMs} ms`,
    });
  }
}
