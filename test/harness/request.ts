/**
 * Requests as a plain NATS client sends them, knowing nothing but docs/protocol.md.
 *
 * @module
 */

import { headers as createHeaders, type NatsConnection, type Payload } from "nats";

/** A reply, taken apart. */
export interface Reply {
  readonly data: Uint8Array;
  readonly text: string;
  /** Every header once, with its first value, as it was spelt. */
  readonly headers: Readonly<Record<string, string>>;
  /** The `Rpc-Error` header: undefined when the plugin answered. */
  readonly error: string | undefined;
  /** The `Rpc-Status` header. */
  readonly status: number | undefined;
}

/** Every accepted request is answered by its deadline: this is for those that are lost. */
const REPLY_TIMEOUT_MS = 90_000;

/**
 * Sends one request and waits for its reply. Rejects with the client's error when nobody serves the subject or no
 * reply comes in time.
 */
export async function request(
  nats: NatsConnection,
  subject: string,
  payload: Payload = "",
  headers: Readonly<Record<string, string>> = {},
  timeoutMs: number = REPLY_TIMEOUT_MS,
): Promise<Reply> {
  const sent = createHeaders();
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  const message = await nats.request(subject, payload, { timeout: timeoutMs, headers: sent });
  const received: Record<string, string> = {};
  for (const name of message.headers?.keys() ?? []) received[name] = message.headers?.get(name) ?? "";
  const status = received["Rpc-Status"];
  return {
    data: message.data,
    text: message.string(),
    headers: received,
    error: received["Rpc-Error"],
    status: status === undefined ? undefined : Number(status),
  };
}
