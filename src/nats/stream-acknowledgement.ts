/**
 * Recognises a JetStream stream's acknowledgement of a message that it has stored. A stream over the subjects of
 * requests acknowledges each of them before the plugin answers, and callers take that for the reply.
 *
 * @module
 */

import type { Msg } from "nats";

/** The fields of an acknowledgement: https://github.com/nats-io/nats-architecture-and-design (ADR-1, "PubAck"). */
const FIELDS: ReadonlySet<string> = new Set(["stream", "seq", "domain", "duplicate", "error", "batch", "count", "val"]);
const MAX_BYTES = 4_096;

/** The stream that acknowledges by this message; `undefined` for every other message. */
export function acknowledgingStream({ data, headers }: Pick<Msg, "data" | "headers">): string | undefined {
  // A replica's reply has headers; an acknowledgement has none.
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
