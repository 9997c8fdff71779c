/**
 * The way of a request through the host: decode → decide → admit → dispatch → reply → log. This is the one
 * place that answers messages, and every path through it answers exactly once; a message that cannot be
 * answered is counted and logged instead.
 *
 * @module
 */

import type { Msg, NatsConnection } from "nats";
import { IdMap } from "../channel/id-map.ts";
import type { Outcome, RpcRequest } from "../contract/request.ts";
import type { OutboundHttp } from "../egress/outbound-http.ts";
import type { KeyValueStore } from "../kv/store.ts";
import type { PluginSlot } from "../registry/plugin-slot.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { RunnerUnavailable } from "../supervisor/plugin-runner-state.ts";
import type { ThreadShares } from "../supervisor/thread-shares.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AdmissionGate } from "./admission.ts";
import { Call, type CallTimes } from "./call.ts";
import { type DecodedRequest, decodeRequest, isSafeReplySubject } from "./decode.ts";
import { denied, type Failure, failed } from "./failure.ts";
import { RefusalLog } from "./refusal-log.ts";
import { RequestRecords } from "./request-records.ts";
import { VersionBrokers } from "./version-brokers.ts";
import { encodeReply, messageBytes, publishable, type Reply } from "./reply.ts";

/** What a {@link RequestHandler} works with; it owns none of it. */
export interface RequestHandlerParts {
  readonly connection: NatsConnection;
  readonly admission: AdmissionGate;
  readonly store: KeyValueStore;
  readonly http: OutboundHttp;
  /** What each plugin has of this thread. */
  readonly shares: ThreadShares;
  readonly logger: Logger;
  /** Makes an id for a request that brings none. */
  readonly newId: () => string;
}

/** A message on its way through the handler, before it is admitted. */
interface Arrival {
  readonly slot: PluginSlot;
  readonly message: Msg;
  readonly arrivedMs: number;
}

const NO_RUNNER: RunnerUnavailable = { retryAfterMs: 0, reason: "the version has no runner" };

const NO_TIMES: CallTimes = { queueMs: 0, runMs: 0, storeMs: 0 };

export class RequestHandler {
  readonly #parts: RequestHandlerParts;
  readonly #calls = new IdMap<Call>();
  readonly #brokers: VersionBrokers;
  readonly #records: RequestRecords;
  readonly #refusals: RefusalLog;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(parts: RequestHandlerParts) {
    this.#parts = parts;
    this.#brokers = new VersionBrokers(parts);
    this.#records = new RequestRecords(parts.logger);
    this.#refusals = new RefusalLog(parts.logger);
  }

  /** Requests that were accepted and are not answered yet. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /**
   * Takes a message of one of the plugin's subjects, which arrived at a time of `performance.now()`. Never throws:
   * that would end the connection from within.
   */
  handle(slot: PluginSlot, message: Msg, arrivedMs: number): void {
    try {
      this.#handle({ slot, message, arrivedMs });
    } catch (error) {
      this.#parts.logger.error({ plugin: slot.name, err: error }, "a request was dropped: an unexpected failure");
    }
  }

  /** Resolves when no accepted request is left. */
  async idle(): Promise<void> {
    if (this.#calls.size === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Answers every request that is still open with `draining`. */
  abandonAll(): void {
    for (const [, call] of this.#calls.entries()) call.abandon(failed("draining", "the drain's grace is over"));
  }

  /** Less is allowed than before: calls under way have the lower deadlines, and those that have not begun may not begin. */
  review(): void {
    for (const [, call] of this.#calls.entries()) call.review();
  }

  #handle(arrival: Arrival): void {
    const { message } = arrival;
    if (message.reply === undefined || message.reply === "" || !isSafeReplySubject(message.reply)) {
      this.#dropUnanswerable(arrival);
      return;
    }
    const decoded = decodeRequest(message, this.#parts.newId);
    if (decoded.kind === "malformed") {
      const outcome = failed("bad-request", decoded.problem, { safeText: decoded.problem });
      this.#refuse(arrival, { id: decoded.id ?? "", method: "" }, outcome);
      return;
    }
    this.#admit(arrival, decoded.decoded);
  }

  #admit(arrival: Arrival, decoded: DecodedRequest): void {
    const { slot } = arrival;
    const { request } = decoded;
    const state = slot.state;
    if (state.kind !== "loaded") {
      const why = state.kind === "failed" ? state.error.message : "the plugin is being loaded";
      this.#refuse(arrival, request, failed("plugin-unavailable", why), decoded.traceId);
      return;
    }
    const { version } = state;
    const refusal = this.#refusal(version, decoded);
    if (refusal !== undefined) {
      this.#refuse(arrival, request, refusal, decoded.traceId, version);
      return;
    }
    const admission = this.#parts.admission.enter(slot.name, version.authority.now.limits.concurrency);
    if (admission.kind === "shed") {
      const { by, retryAfterMs } = admission;
      this.#refuse(
        arrival,
        request,
        failed("overloaded", `the ${by}'s limit`, { retryAfterMs }),
        decoded.traceId,
        version,
      );
      return;
    }
    this.#dispatch(arrival, decoded, version);
  }

  /** Why this version does not take the request, if it does not. Nothing has been acquired by then. */
  #refusal(version: PluginVersion, { request, timeoutMs }: DecodedRequest): Failure | undefined {
    const terms = version.authority.now;
    const { limits } = terms;
    if (terms.kind === "denied") return denied(terms.denial);
    if (request.payload.length > limits.payloadBytes) {
      const size = `The payload has ${request.payload.length} bytes, at most ${limits.payloadBytes} are allowed.`;
      return failed("payload-too-large", size, { safeText: size });
    }
    if (timeoutMs === 0) return failed("deadline-exceeded", "it arrived with no time left");
    return undefined;
  }

  #dispatch(arrival: Arrival, decoded: DecodedRequest, version: PluginVersion): void {
    const { slot, message } = arrival;
    const { admission } = this.#parts;
    const { limits } = version.authority.now;
    const { stats } = slot;
    const log = this.#records.pluginLog(slot, version, decoded.request);
    version.acquire();
    stats.begin();
    const number = this.#calls.newId();
    const call = new Call({
      decoded,
      arrivedMs: arrival.arrivedMs,
      deadlineMs: limits.deadlineMs,
      budgetMs: Math.min(limits.deadlineMs, decoded.timeoutMs ?? Number.POSITIVE_INFINITY),
      terms: () => version.authority.now,
      broker: this.#brokers.of(version, stats),
      log,
      turns: this.#parts.shares.of(slot.name).turns,
      settled: (outcome, times) => {
        admission.leave(slot.name);
        version.release();
        this.#calls.delete(number);
        const sent = this.#reply(message, outcome, decoded.request.id, version.authority.now.limits.replyBytes);
        stats.end(sent.code ?? "ok", performance.now() - arrival.arrivedMs);
        this.#records.write({
          slot,
          request: decoded.request,
          outcome,
          code: sent.code,
          times,
          traceId: decoded.traceId,
          version,
          droppedLogBytes: log.droppedBytes,
        });
        if (this.#calls.size === 0) this.#idle?.resolve();
      },
    });
    this.#calls.set(number, call);
    this.#start(call, version);
  }

  #start(call: Call, version: PluginVersion): void {
    const runner = version.parts.runner?.acquire() ?? NO_RUNNER;
    if (runner instanceof Promise) void call.startLater(runner);
    else if ("retryAfterMs" in runner) call.refuse(runner);
    else call.start(runner);
  }

  /** Answers a message that was not admitted. */
  #refuse(
    arrival: Arrival,
    request: Pick<RpcRequest, "id" | "method">,
    outcome: Failure,
    traceId?: string,
    version?: PluginVersion,
  ): void {
    this.#reply(arrival.message, outcome, request.id === "" ? undefined : request.id, 0);
    arrival.slot.stats.refuse(outcome.code);
    const { slot } = arrival;
    this.#refusals.write(slot, () =>
      this.#records.write({ slot, request, outcome, code: outcome.code, times: NO_TIMES, traceId, version }),
    );
  }

  /** Publishes the reply, or an error in its place where it is too large for the limit or the server. */
  #reply(message: Msg, outcome: Outcome, id: string | undefined, replyBytes: number): Reply {
    let reply = encodeReply(outcome, id);
    const serverBytes = this.#parts.connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    const bodyBytes = outcome.kind === "failed" ? 0 : reply.data.length;
    if (bodyBytes > replyBytes || messageBytes(reply) > serverBytes) {
      reply = encodeReply(failed("reply-too-large", `the body has ${bodyBytes} bytes`), id);
    }
    try {
      message.respond(reply.data, { headers: publishable(reply.headers) });
    } catch (error) {
      // Only a closed connection gets here: there is nobody left to tell, but the log.
      this.#parts.logger.error({ err: error, id }, "a reply could not be sent: the NATS connection is closed");
    }
    return reply;
  }

  #dropUnanswerable({ slot, message }: Arrival): void {
    const hasReply = message.reply !== undefined && message.reply !== "";
    slot.stats.drop(hasReply ? "reply-subject-refused" : "no-reply-subject");
    const why = hasReply
      ? "a request was dropped: its reply subject is reserved or is a pattern"
      : "a request was dropped: it has no reply subject; use request-reply";
    this.#refusals.write(slot, () => this.#parts.logger.warn({ plugin: slot.name }, why));
  }
}
