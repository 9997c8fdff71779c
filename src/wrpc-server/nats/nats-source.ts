/**
 * Requests over wRPC on NATS, as its last published crates speak it (wrpc-transport-nats 0.31.0). For each plugin on the
 * list, the replica listens on the subjects of the handler's two functions, in its queue group; and once for parameters that do
 * not fit an invocation.
 *
 * @see https://github.com/bytecodealliance/wrpc/blob/v0.16.0/SPEC.md
 * @module
 */

import { createInbox, type Msg } from "nats";
import type { ArrivalClock } from "../../consumer/arrival-clock.ts";
import type { RequestSource, SubjectSource } from "../../consumer/consumer.ts";
import { isSafeReplySubject } from "../../consumer/decode.ts";
import { failed } from "../../consumer/failure.ts";
import type { RequestHandler } from "../../consumer/request-handler.ts";
import type { ServedPlugin } from "../../consumer/served-plugin.ts";
import { FIXED_LIMITS, type PluginLimits } from "../../contract/limits.ts";
import type { PluginName } from "../../contract/names.ts";
import type { SubscriptionPlan } from "../../nats/held-subscription.ts";
import type { ReplyPort, SequencePort } from "../../nats/reply-sender.ts";
import type { SubscriptionSet } from "../../nats/subscription-set.ts";
import { DeadlineTimer } from "../../scheduling/deadline-timer.ts";
import type { WrpcStats } from "../../telemetry/wrpc-stats.ts";
import { GET_ACCESS_LEVELS, HANDLE_REQUEST } from "../../wrpc/handler-functions.ts";
import { invocationSubject, parametersSubject } from "../../wrpc/nats-subjects.ts";
import { ValuesDecoder } from "../../wrpc/values-decoder.ts";
import { maxParameterBytes, requestOf } from "../handler-result.ts";
import { limitsNow } from "../serving-version.ts";
import { Invocation } from "./invocation.ts";
import { answerLevels } from "./levels-answer.ts";
import { type BegunCall, OpenParameters, type ParametersOutcome } from "./open-parameters.ts";

export interface NatsSourceOptions {
  readonly prefix: string;
  /** The plugins that are served so. */
  readonly plugins: ReadonlySet<PluginName>;
  /** The queue group. */
  readonly group: string;
  readonly subscriptions: Pick<SubscriptionSet, "open">;
  readonly replies: ReplyPort & SequencePort;
  readonly handler: Pick<RequestHandler, "take" | "refuse" | "drop">;
  readonly stats: WrpcStats;
  /** Makes an id for a request without a valid one, and the subjects of parameters: nobody can guess the next. */
  readonly newId: () => string;
}

export class NatsSource implements SubjectSource, RequestSource {
  readonly #parts: NatsSourceOptions;
  /** This replica's own. */
  readonly #inbox = createInbox();
  readonly #open: OpenParameters;

  constructor(parts: NatsSourceOptions) {
    this.#parts = parts;
    this.#open = new OpenParameters({
      stats: parts.stats,
      deadlines: new DeadlineTimer(),
      newToken: parts.newId,
      ask: ({ invocation }, token) => invocation.ask(this.#openInbox(token)),
      ended: (call, outcome) => this.#inTurn(call, outcome),
    });
  }

  /** Listens for parameters. Plugins' subjects follow as the consumer serves them. */
  listen(): void {
    const subject = parametersSubject(this.#openInbox("*"));
    const at = subject.indexOf("*");
    const deliver = (message: Msg): void => {
      const { subject: given, data } = message;
      this.#open.take(given.slice(at, given.length - (subject.length - at - 1)), data);
    };
    this.#parts.subscriptions.open([{ subject, need: "required", deliver }]);
  }

  plansOf(plugin: ServedPlugin, arrivals: Pick<ArrivalClock, "stamp">): readonly SubscriptionPlan[] {
    const { prefix, plugins, group: queue } = this.#parts;
    const { name } = plugin.slot;
    if (!plugins.has(name)) return [];
    const deliverTo =
      (take: (plugin: ServedPlugin, message: Msg, arrivedMs: number) => void) =>
      (message: Msg): void => {
        const { readMs, arrivedMs } = arrivals.stamp();
        plugin.turns.run(() => take(plugin, message, arrivedMs), readMs);
      };
    const plan = { queue, need: "required" } as const;
    return [
      {
        ...plan,
        subject: invocationSubject(prefix, name, HANDLE_REQUEST),
        deliver: deliverTo((...invoked) => this.#handleRequest(...invoked)),
      },
      {
        ...plan,
        subject: invocationSubject(prefix, name, GET_ACCESS_LEVELS),
        deliver: deliverTo((...invoked) => this.#sendLevels(...invoked)),
      },
    ];
  }

  /** Calls whose parameters are not there are refused from now on; the others are the handler's. */
  async stop(): Promise<void> {
    this.#open.stop();
  }

  /** The link holds its replies. */
  async idle(): Promise<void> {}

  close(): void {}

  #handleRequest(plugin: ServedPlugin, message: Msg, arrivedMs: number): void {
    const caller = this.#callerOf(plugin, message);
    if (caller === undefined) return;
    const limits = limitsNow(plugin);
    const decoder = new ValuesDecoder(HANDLE_REQUEST.parameters, maxParameterBytes(limits.payloadBytes));
    const invocation = new Invocation(caller, arrivedMs, `${this.#inbox}.complete`, this.#parts.replies);
    const call: BegunCall = { plugin, invocation, decoder };
    const decoding = decoder.push(message.data);
    if (decoding.kind === "more") this.#wait(call, limits);
    else this.#end(call, decoding);
  }

  /** The rest of the parameters is yet to come. */
  #wait(call: BegunCall, { deadlineMs }: PluginLimits): void {
    const { plugin, invocation } = call;
    const refusal = this.#open.open(call, invocation.arrivedMs + deadlineMs);
    if (refusal !== undefined) this.#parts.handler.refuse(plugin, invocation, refusal);
  }

  #inTurn(call: BegunCall, outcome: ParametersOutcome): void {
    call.plugin.turns.run(() => this.#end(call, outcome), performance.now());
  }

  /** The parameters are all there, or never will be. */
  #end({ plugin, invocation }: BegunCall, outcome: ParametersOutcome): void {
    const { handler, newId } = this.#parts;
    switch (outcome.kind) {
      case "decoded":
        handler.take(plugin, invocation, requestOf(outcome.value[0], newId));
        return;
      case "malformed": {
        const { problem } = outcome;
        handler.refuse(plugin, invocation, failed("bad-request", problem, { safeText: problem }));
        return;
      }
      case "too-large": {
        const size = `The parameters have ${outcome.announcedBytes} bytes or more.`;
        handler.refuse(plugin, invocation, failed("payload-too-large", size));
        return;
      }
      case "failed":
        handler.refuse(plugin, invocation, outcome);
    }
  }

  #sendLevels(plugin: ServedPlugin, message: Msg, arrivedMs: number): void {
    const caller = this.#callerOf(plugin, message);
    if (caller === undefined) return;
    const inbox = `${this.#inbox}.complete`;
    answerLevels(plugin, { caller, inbox, arrivedMs, parameters: message.data, replies: this.#parts.replies });
  }

  /** The caller's subject, if it may be published on: neither the host nor a plugin must be made to call itself. */
  #callerOf(plugin: ServedPlugin, { reply = "" }: Msg): string | undefined {
    const { prefix, handler } = this.#parts;
    const isOwn = reply.startsWith(`${prefix}.`) || reply.startsWith(`${this.#inbox}.`);
    if (!isOwn && reply.length <= FIXED_LIMITS.wrpcReplySubjectLength && isSafeReplySubject(reply)) return reply;
    handler.drop(plugin, reply);
    return undefined;
  }

  #openInbox(token: string): string {
    return `${this.#inbox}.open.${token}`;
  }
}
