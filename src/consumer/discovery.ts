/**
 * Service discovery as NATS ADR-32 has it: each plugin is a service that answers `$SRV.PING`, `$SRV.INFO` and
 * `$SRV.STATS`, for all, by name, and by name and id. Answered from the host's own counters, since a request
 * here ends when its reply is sent and not when a callback returns.
 *
 * @module
 */

import type { Msg, NatsConnection, Subscription } from "nats";
import { isSafeReplySubject } from "./decode.ts";
import type { EndpointStats } from "../telemetry/plugin-stats.ts";

/** What a service tells of itself. */
export interface ServiceDescription {
  readonly name: string;
  readonly id: string;
  /** A semantic version. */
  readonly version: string;
  readonly description: string;
  readonly started: Date;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly EndpointDescription[];
}

export interface EndpointDescription {
  readonly name: string;
  readonly subject: string;
  readonly queueGroup: string;
  readonly stats: EndpointStats;
  /** Facts beyond the ADR: digest, policy revision, in-flight and shed counts. */
  readonly data: Readonly<Record<string, unknown>>;
}

const VERBS = ["PING", "INFO", "STATS"] as const;
type Verb = (typeof VERBS)[number];

const PREFIX = "$SRV";

export class Discovery {
  readonly #connection: NatsConnection;
  readonly #services: () => Iterable<ServiceDescription>;
  readonly #subscriptions: Subscription[] = [];

  /** `services` is asked anew for every question. */
  constructor(connection: NatsConnection, services: () => Iterable<ServiceDescription>) {
    this.#connection = connection;
    this.#services = services;
  }

  /** Subscribes, without a queue group: every replica answers. */
  open(): void {
    for (const verb of VERBS) {
      for (const subject of [`${PREFIX}.${verb}`, `${PREFIX}.${verb}.*`, `${PREFIX}.${verb}.*.*`]) {
        const subscription = this.#connection.subscribe(subject, {
          callback: (error, message) => {
            // An error here is a permission the account lacks: the services are then not discoverable, no more.
            if (error === null) this.#answer(verb, message);
          },
        });
        this.#subscriptions.push(subscription);
      }
    }
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions.length = 0;
  }

  #answer(verb: Verb, message: Msg): void {
    // Nobody who may ask the host to describe itself may make it publish elsewhere by that.
    if (!isSafeReplySubject(message.reply ?? "") || this.#connection.isDraining()) return;
    const [, , name, id] = message.subject.split(".");
    for (const service of this.#services()) {
      if (name !== undefined && service.name !== name) continue;
      if (id !== undefined && service.id !== id) continue;
      message.respond(JSON.stringify(describe(verb, service)));
    }
  }
}

function describe(verb: Verb, service: ServiceDescription): object {
  const { name, id, version, metadata } = service;
  const common = { name, id, version, metadata };
  switch (verb) {
    case "PING":
      return { type: "io.nats.micro.v1.ping_response", ...common };
    case "INFO":
      return {
        type: "io.nats.micro.v1.info_response",
        ...common,
        description: service.description,
        endpoints: service.endpoints.map(({ name, subject, queueGroup }) => ({
          name,
          subject,
          queue_group: queueGroup,
          metadata: {},
        })),
      };
    case "STATS":
      return {
        type: "io.nats.micro.v1.stats_response",
        ...common,
        started: service.started.toISOString(),
        endpoints: service.endpoints.map(describeStats),
      };
  }
}

function describeStats(endpoint: EndpointDescription): object {
  return {
    name: endpoint.name,
    subject: endpoint.subject,
    queue_group: endpoint.queueGroup,
    ...endpoint.stats,
    data: endpoint.data,
  };
}
