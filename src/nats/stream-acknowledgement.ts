/**
 * What a JetStream stream answers a message with that it has stored. A stream over the subjects of requests answers each of
 * them so, before their service does; callers take it for the reply.
 *
 * @module
 */

import type { Msg } from "nats";

/** Fields of one, https://github.com/nats-io/nats-architecture-and-design (ADR-1, "PubAck"). */
const FIELDS: ReadonlySet<string> = new Set(["stream", "seq", "domain", "duplicate", "error", "batch", "count", "val"]);
const MAX_BYTES = 4_096;

/** The stream that a message is the acknowledgement of; `undefined` for every other message. */
export function acknowledgingStream({ data, headers }: Pick<Msg, "data" | "headers">): string | undefined {
  // A reply of a replica has headers.
  if (headers !== undefined || data.length > MAX_BYTES) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(data).toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || !Object.keys(parsed).every((key) => FIELDS.has(key)))
    return undefined;
  const { stream, seq } = parsed as { readonly stream?: unknown; readonly seq?: unknown };
  return typeof stream === "string" && typeof seq === "number" ? stream : undefined;
}
