/**
 * Service discovery as NATS ADR-32 has it: each plugin is a service that answers `$SRV.PING`, `$SRV.INFO` and
 * `$SRV.STATS`, for all, by name, and by name and id. Answered from the host's own counters, since a request
 * here ends when its reply is sent and not when a callback returns.
 *
 * A replica whose account may not listen there serves requests all the same: it is not discoverable, no more.
 *
 * @module
 */

import type { Msg } from "nats";
import type { SubscriptionPlan } from "../nats/held-subscription.ts";
import type { SubscriptionSet } from "../nats/subscription-set.ts";
import { isSafeReplySubject } from "./decode.ts";
import { encodeAnswer, type ServiceDescription, type Verb, VERBS } from "./service-answer.ts";

export interface DiscoveryOptions {
  readonly subscriptions: SubscriptionSet;
  /** Asked anew for every question. */
  readonly services: () => Iterable<ServiceDescription>;
  /** What the server takes now. */
  readonly maxPayloadBytes: () => number;
  /** Told once: not even the shortest answer of a service is as small as that. */
  readonly unanswerable: (service: string) => void;
}

const PREFIX = "$SRV";

export class Discovery {
  readonly #parts: DiscoveryOptions;
  #unanswerable: "untold" | "told" = "untold";

  constructor(parts: DiscoveryOptions) {
    this.#parts = parts;
  }

  /** Subscribes, without a queue group: every replica answers. */
  open(): void {
    const plans = VERBS.flatMap((verb) =>
      [`${PREFIX}.${verb}`, `${PREFIX}.${verb}.*`, `${PREFIX}.${verb}.*.*`].map((subject): SubscriptionPlan => ({
        subject,
        need: "optional",
        deliver: (message) => this.#answer(verb, message),
      })),
    );
    this.#parts.subscriptions.open(plans);
  }

  #answer(verb: Verb, message: Msg): void {
    // Nobody who may ask the host to describe itself may make it publish elsewhere by that.
    if (!isSafeReplySubject(message.reply ?? "")) return;
    const [, , name, id] = message.subject.split(".");
    const maxBytes = this.#parts.maxPayloadBytes();
    for (const service of this.#parts.services()) {
      if (name !== undefined && service.name !== name) continue;
      if (id !== undefined && service.id !== id) continue;
      const answer = encodeAnswer(verb, service, maxBytes);
      if (answer === undefined) this.#tellUnanswerable(service.name);
      else message.respond(answer);
    }
  }

  #tellUnanswerable(service: string): void {
    if (this.#unanswerable === "told") return;
    this.#unanswerable = "told";
    this.#parts.unanswerable(service);
  }
}
