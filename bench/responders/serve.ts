/**
 * A NATS subscription that answers as the load generators expect it. What the responders in Node have in common.
 *
 * @module
 */

import { connect, headers, type Msg } from "nats";

export interface Reply {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Answers one request, whose method is the subject's last part. The payload is valid until it has answered. */
export type Handler = (payload: Uint8Array, method: string) => Reply | Promise<Reply>;

/** Answers requests until SIGTERM. */
export async function serve(natsUrl: string, subject: string, handle: Handler): Promise<void> {
  const nats = await connect({ servers: natsUrl, maxReconnectAttempts: -1 });
  nats.subscribe(subject, { queue: "bench", callback: (error, message) => void (error ?? answer(message, handle)) });
  await nats.flush();
  process.once("SIGTERM", () => void nats.drain().then(() => process.exit(0)));
  console.log("ready");
}

async function answer(message: Msg, handle: Handler): Promise<void> {
  const head = headers();
  try {
    const method = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    const reply = await handle(message.data, method);
    head.set("Rpc-Status", String(reply.status));
    message.respond(reply.body, { headers: head });
  } catch (error) {
    console.error(error);
    head.set("Rpc-Error", "failed");
    message.respond(undefined, { headers: head });
  }
}
