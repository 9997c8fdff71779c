/**
 * Encodes a service's answer to a question of discovery (NATS ADR-32). Where the answer is larger than the server's
 * `max_payload`, it names fewer targets and counts the others together. Pure.
 *
 * @module
 */

import { shortenTargets, type UsedTargets } from "../contract/used-targets.ts";
import type { EndpointStats } from "../telemetry/plugin-stats.ts";

/** What a service reports about itself. */
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
  readonly data: Readonly<Record<string, unknown>> & { readonly usedTargets: UsedTargets };
}

export const VERBS = ["PING", "INFO", "STATS"] as const;
export type Verb = (typeof VERBS)[number];

/** How many targets of each kind are named: fewer in each attempt to shorten the answer. */
const NAMED_TARGETS = [32, 16, 8, 4, 2, 1, 0] as const;
/** Characters of a shortened description. */
const SHORT_DESCRIPTION_LENGTH = 64;

/** The answer, or undefined where even the shortest one has more than `maxBytes`. */
export function encodeAnswer(verb: Verb, service: ServiceDescription, maxBytes: number): Uint8Array | undefined {
  const whole = encode(describe(verb, service));
  if (whole.length <= maxBytes) return whole;
  for (const named of NAMED_TARGETS) {
    const shortened = encode({ ...describe(verb, shorten(service, named)), truncated: true });
    if (shortened.length <= maxBytes) return shortened;
  }
  return undefined;
}

function encode(answer: object): Uint8Array {
  return Buffer.from(JSON.stringify(answer));
}

function shorten(service: ServiceDescription, named: number): ServiceDescription {
  return {
    ...service,
    description: service.description.slice(0, SHORT_DESCRIPTION_LENGTH),
    endpoints: service.endpoints.map((endpoint) => ({
      ...endpoint,
      data: { ...endpoint.data, usedTargets: shortenTargets(endpoint.data.usedTargets, named) },
    })),
  };
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
