/**
 * Service discovery by NATS ADR-32: each plugin is a service that answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`,
 * for all, by name, and by name and id. The client's own implementation counts a request as ended when its callback
 * returns; here it ends when its reply is sent. So the host answers from its own counters.
 *
 * A replica whose account may not subscribe to these subjects still serves requests; it only cannot be discovered.
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
  /** Called for every question. */
  readonly services: () => Iterable<ServiceDescription>;
  /** The server's `max_payload` now. */
  readonly maxPayloadBytes: () => number;
  /** Called once, when even a service's shortest answer is larger than that. */
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
    // The asker chooses this subject, so it is checked as that of a request is.
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
