/**
 * The path of a request through the host: decode → decide → admit → dispatch. Every message ends here in one of three
 * ways: it becomes a {@link Call}, which answers it; it is refused with an error; or, where it cannot be answered, it
 * is dropped, counted and logged.
 *
 * @module
 */

import { DEFAULT_PLUGIN_LIMITS } from "../contract/limits.ts";
import type { RpcRequest } from "../contract/request.ts";
import type { Terms } from "../policy/authority.ts";
import type { SlotState } from "../registry/plugin-slot.ts";
import { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import { Ring } from "../scheduling/ring.ts";
import type { Logger } from "../telemetry/logger.ts";
import { loggedOutcome, logRequest } from "../telemetry/request-log.ts";
import { type AdmissibleRequest, Call, type CallOptions } from "./call.ts";
import { type Decoded, type DecodedRequest, decodeRequest, isSafeReplySubject } from "./decode.ts";
import { denied, failed, type Failure, UNEXPECTED } from "./failure.ts";
import type { AnswerFate, NatsRequest, RequestOrigin } from "./reply.ts";
import type { ServedPlugin } from "./served-plugin.ts";
import type { ServedVersion } from "./served-version.ts";

/** A {@link RequestHandler} closes none of these. */
export interface RequestHandlerOptions {
  readonly logger: Logger;
  /** Makes an id for a request without one. */
  readonly newId: () => string;
}

/** What is known of a request that is refused. */
interface Refused {
  readonly origin: RequestOrigin;
  readonly timeoutMs?: number | undefined;
  readonly request: Pick<RpcRequest, "id" | "method">;
  readonly traceId?: string | undefined;
  /** The version that would have taken it. */
  readonly served?: ServedVersion;
}

const UNKNOWN = { id: "", method: "" };

const NO_TIMES = { queueMs: 0, runMs: 0, storeMs: 0 };

export class RequestHandler {
  readonly #logger: Logger;
  readonly #newId: () => string;
  readonly #calls: CallOptions;

  constructor({ logger, newId }: RequestHandlerOptions) {
    this.#logger = logger;
    this.#newId = newId;
    this.#calls = { open: new Ring(), deadlines: new DeadlineTimer(), logger };
  }

  /** Takes a message of one of the plugin's subjects. Never throws: an exception would end the client's reader. */
  handle(plugin: ServedPlugin, request: NatsRequest): void {
    const { message, subject } = request;
    const { reply } = message;
    if (reply === undefined || reply === "" || !isSafeReplySubject(reply)) {
      this.drop(plugin, reply);
      return;
    }
    try {
      this.#decide(plugin, request, decodeRequest(message, subject, this.#newId));
    } catch (error) {
      this.#fail(plugin, request, error);
    }
  }

  /** Takes a request that came over another transport than NATS messages, decoded. Never throws. */
  take(plugin: ServedPlugin, origin: RequestOrigin, decoded: Decoded): void {
    try {
      this.#decide(plugin, origin, decoded);
    } catch (error) {
      this.#fail(plugin, origin, error);
    }
  }

  /** Answers a request that its transport refuses, before it was decoded. Never throws. */
  refuse(plugin: ServedPlugin, origin: RequestOrigin, outcome: Failure): void {
    this.#refuse(plugin, outcome, { origin, request: UNKNOWN });
  }

  /** Drops a message that cannot be answered on this subject. */
  drop({ slot, stats, refusals }: ServedPlugin, replySubject: string | undefined): void {
    const hasReply = replySubject !== undefined && replySubject !== "";
    stats.drop(hasReply ? "reply-subject-refused" : "no-reply-subject");
    const why = hasReply
      ? "a request was dropped: its reply subject is reserved or is a pattern"
      : "a request was dropped: it has no reply subject; use request-reply";
    refusals.write(() => this.#logger.warn({ plugin: slot.name }, why));
  }

  /** Resolves when every accepted request is settled. */
  async idle(): Promise<void> {
    const { open } = this.#calls;
    for (let call = open.first; call !== undefined; call = open.first) await call.whenSettled();
  }

  /** Answers every request that is still open with `draining`. */
  abandonAll(): void {
    for (const call of this.#calls.open.members()) call.abandon(failed("draining", "the drain time is over"));
  }

  /**
   * Applies a narrowing: open calls get the lower deadlines, and those that are now denied and have not begun are
   * refused.
   */
  review(): void {
    for (const call of this.#calls.open.members()) call.review();
  }

  /** Finds the version that serves, and whether it may run the request. */
  #decide(plugin: ServedPlugin, origin: RequestOrigin, decoded: Decoded): void {
    if (decoded.kind === "malformed") {
      const { id = "", problem } = decoded;
      const refusal = failed("bad-request", problem, { safeText: problem });
      this.#refuse(plugin, refusal, { origin, request: { id, method: "" } });
      return;
    }
    const { state } = plugin.slot;
    if (state.kind !== "loaded") {
      this.#refuse(plugin, unloaded(state), { ...decoded, origin });
      return;
    }
    const served = plugin.serve(state.version);
    const refusal = refusalOf(decoded, state.version.authority.now, performance.now() - origin.arrivedMs);
    if (refusal === undefined) this.#admit({ plugin, served, origin, decoded });
    else this.#refuse(plugin, refusal, { ...decoded, origin, served });
  }

  #admit(request: AdmissibleRequest): void {
    const { plugin, served, origin, decoded } = request;
    const admission = plugin.gate.enter(served.version.authority.now.limits.concurrency);
    if (admission.kind === "shed") {
      const { by, retryAfterMs } = admission;
      const refusal = failed("overloaded", `the ${by}'s limit`, { retryAfterMs });
      this.#refuse(plugin, refusal, { ...decoded, origin, served });
      return;
    }
    new Call(request, admission, this.#calls).start();
  }

  #fail(plugin: ServedPlugin, origin: RequestOrigin, error: unknown): void {
    this.#logger.error({ plugin: plugin.slot.name, err: error }, UNEXPECTED);
    this.#refuse(plugin, failed("internal", UNEXPECTED), { origin, request: UNKNOWN });
  }

  /** Answers a request that was not admitted. */
  #refuse(plugin: ServedPlugin, outcome: Failure, refused: Refused): void {
    const { origin, request, timeoutMs, served } = refused;
    const { deadlineMs } = served?.version.authority.now.limits ?? DEFAULT_PLUGIN_LIMITS;
    origin.reply({
      plugin: plugin.slot.name,
      owner: plugin,
      outcome,
      id: request.id === "" ? undefined : request.id,
      replyBytes: 0,
      untilMs: origin.arrivedMs + (timeoutMs ?? deadlineMs),
      settled: (fate) => this.#refused(plugin, outcome, refused, fate),
    });
  }

  #refused(plugin: ServedPlugin, outcome: Failure, { request, traceId, served }: Refused, fate: AnswerFate): void {
    const { code } = outcome;
    if (fate.kind === "sent") plugin.stats.refuse(code);
    else plugin.stats.drop(fate.reason);
    plugin.refusals.write(() =>
      logRequest(served?.records ?? plugin.recordsWithoutVersion, {
        method: request.method,
        id: request.id,
        outcome: fate.kind === "sent" ? loggedOutcome(outcome, code) : { ...fate, code },
        times: NO_TIMES,
        traceId,
      }),
    );
  }
}

/**
 * The refusal where no version serves: retryable if the load will be tried again, permanent if the plugin can never be
 * loaded.
 */
function unloaded(state: Exclude<SlotState, { kind: "loaded" }>): Failure {
  if (state.kind === "loading") return failed("plugin-unavailable", "the plugin is being loaded");
  const { error } = state;
  if (!error.row.retryable) return failed("plugin-unloadable", error.message);
  const retryAtMs = state.kind === "failed" ? state.retryAtMs : undefined;
  const retryAfterMs = retryAtMs === undefined ? undefined : Math.max(1, retryAtMs - performance.now());
  return failed("plugin-unavailable", error.message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** Why these terms do not let the request run; `undefined` where they do. */
function refusalOf(
  { request, timeoutMs = Number.POSITIVE_INFINITY }: DecodedRequest,
  terms: Terms,
  ageMs: number,
): Failure | undefined {
  if (terms.kind === "denied") return denied(terms.denial);
  const { payloadBytes, deadlineMs } = terms.limits;
  if (request.payload.length > payloadBytes) {
    const size = `The payload has ${request.payload.length} bytes, at most ${payloadBytes} are allowed.`;
    return failed("payload-too-large", size, { safeText: size });
  }
  if (ageMs < Math.min(deadlineMs, timeoutMs)) return undefined;
  return failed("deadline-exceeded", `it had no time left ${Math.round(ageMs)} ms after its arrival`);
}
