/**
 * The path of a request through the host: decode → decide → admit → dispatch. Every message ends here in one of three
 * ways: it becomes a {@link Call}, which answers it; it is refused with an error; or, where it cannot be answered, it
 * is dropped, counted and logged.
 *
 * @module
 */

import type { Msg } from "nats";
import { DEFAULT_PLUGIN_LIMITS } from "../contract/limits.ts";
import type { ReplyFate, ReplyPort } from "../nats/reply-sender.ts";
import type { RpcRequest } from "../contract/request.ts";
import type { Terms } from "../policy/authority.ts";
import type { SlotState } from "../registry/plugin-slot.ts";
import { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import { Ring } from "../scheduling/ring.ts";
import type { Logger } from "../telemetry/logger.ts";
import { loggedOutcome, logRequest } from "../telemetry/request-log.ts";
import { type AdmissibleRequest, Call, type CallOptions } from "./call.ts";
import { type DecodedRequest, decodeRequest, isSafeReplySubject } from "./decode.ts";
import { denied, failed, type Failure, UNEXPECTED } from "./failure.ts";
import { Answer } from "./reply.ts";
import type { ServedPlugin } from "./served-plugin.ts";
import type { ServedVersion } from "./served-version.ts";

/** A {@link RequestHandler} closes none of these. */
export interface RequestHandlerOptions {
  readonly replies: ReplyPort;
  readonly logger: Logger;
  /** Makes an id for a request without one. */
  readonly newId: () => string;
}

/** A message of one of a plugin's subjects. */
export interface Delivery {
  readonly message: Msg;
  /** The message's subject. */
  readonly subject: string;
  /** When it arrived, by the clock of `performance.now()`. */
  readonly arrivedMs: number;
}

/** What is known of a message that is refused. */
interface Refused extends Pick<Delivery, "message" | "arrivedMs"> {
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

  constructor({ replies, logger, newId }: RequestHandlerOptions) {
    this.#logger = logger;
    this.#newId = newId;
    this.#calls = { replies, open: new Ring(), deadlines: new DeadlineTimer(), logger };
  }

  /** Takes a message of one of the plugin's subjects. Never throws: an exception would end the client's reader. */
  handle(plugin: ServedPlugin, delivery: Delivery): void {
    const { message, arrivedMs } = delivery;
    const { reply } = message;
    if (reply === undefined || reply === "" || !isSafeReplySubject(reply)) {
      this.#drop(plugin, reply);
      return;
    }
    try {
      this.#decode(plugin, delivery);
    } catch (error) {
      this.#logger.error({ plugin: plugin.slot.name, err: error }, UNEXPECTED);
      this.#refuse(plugin, failed("internal", UNEXPECTED), { message, arrivedMs, request: UNKNOWN });
    }
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

  #decode(plugin: ServedPlugin, delivery: Delivery): void {
    const { message, arrivedMs } = delivery;
    const decoded = decodeRequest(message, delivery.subject, this.#newId);
    if (decoded.kind === "malformed") {
      const { id = "", problem } = decoded;
      this.#refuse(plugin, failed("bad-request", problem, { safeText: problem }), {
        message,
        arrivedMs,
        request: { id, method: "" },
      });
      return;
    }
    this.#decide(plugin, message, decoded, arrivedMs);
  }

  /** Finds the version that serves, and whether it may run the request. */
  #decide(plugin: ServedPlugin, message: Msg, decoded: DecodedRequest, arrivedMs: number): void {
    const { state } = plugin.slot;
    if (state.kind !== "loaded") {
      this.#refuse(plugin, unloaded(state), { ...decoded, message, arrivedMs });
      return;
    }
    const served = plugin.serve(state.version);
    const refusal = refusalOf(decoded, state.version.authority.now, performance.now() - arrivedMs);
    if (refusal === undefined) this.#admit({ plugin, served, message, decoded, arrivedMs });
    else this.#refuse(plugin, refusal, { ...decoded, message, arrivedMs, served });
  }

  #admit(request: AdmissibleRequest): void {
    const { plugin, served, message, decoded, arrivedMs } = request;
    const admission = plugin.gate.enter(served.version.authority.now.limits.concurrency);
    if (admission.kind === "shed") {
      const { by, retryAfterMs } = admission;
      const refusal = failed("overloaded", `the ${by}'s limit`, { retryAfterMs });
      this.#refuse(plugin, refusal, { ...decoded, message, arrivedMs, served });
      return;
    }
    new Call(request, admission, this.#calls).start();
  }

  /** Answers a message that was not admitted. */
  #refuse(plugin: ServedPlugin, outcome: Failure, refused: Refused): void {
    const { message, request, arrivedMs, timeoutMs, served } = refused;
    const { deadlineMs } = served?.version.authority.now.limits ?? DEFAULT_PLUGIN_LIMITS;
    const answer = new Answer({
      message,
      plugin: plugin.slot.name,
      owner: plugin,
      outcome,
      id: request.id === "" ? undefined : request.id,
      replyBytes: 0,
      untilMs: arrivedMs + (timeoutMs ?? deadlineMs),
      settled: (fate) => this.#refused(plugin, outcome, refused, fate),
    });
    this.#calls.replies.send(answer);
  }

  #refused(plugin: ServedPlugin, outcome: Failure, { request, traceId, served }: Refused, fate: ReplyFate): void {
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

  /** Drops a message that cannot be answered. */
  #drop({ slot, stats, refusals }: ServedPlugin, replySubject: string | undefined): void {
    const hasReply = replySubject !== undefined && replySubject !== "";
    stats.drop(hasReply ? "reply-subject-refused" : "no-reply-subject");
    const why = hasReply
      ? "a request was dropped: its reply subject is reserved or is a pattern"
      : "a request was dropped: it has no reply subject; use request-reply";
    refusals.write(() => this.#logger.warn({ plugin: slot.name }, why));
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
