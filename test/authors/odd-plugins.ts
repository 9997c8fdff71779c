/**
 * Plugins that answer what clients treat differently: header bytes that no library would send.
 *
 * @module
 */

import { connect } from "nats";
import { openRawPublisher, type RawMessage } from "../adversarial/raw-publisher.ts";

const FAILURE = [
  "Nats-Service-Error: no place",
  "Nats-Service-Error-Code: 429",
  "Rpc-Error: overloaded",
  "Rpc-Retryable: true",
].join("\r\n");

/** Plugin → its reply. */
const REPLIES: Readonly<Record<string, Omit<RawMessage, "subject"> | undefined>> = {
  /** It takes the request and says nothing. */
  silent: undefined,
  /** A failure, as a replica sends it. */
  refusing: { headers: FAILURE },
  /** A header twice. */
  repeated: { headers: "Rpc-Status: 201\r\nRpc-Status: 202", payload: "x" },
  /** Blanks around a value. */
  blanks: { headers: "Rpc-Status:  \t203 \t", payload: "x" },
  /** A name in other case. */
  cased: { headers: "rpc-status: 204", payload: "x" },
  /** The status with which the server says that nobody listens, and a body, which it never sends. */
  status503: { status: 503, headers: "Rpc-Status: 205", payload: "x" },
};

/** Serves them until it is disposed of. */
export async function serveOddPlugins(natsUrl: string): Promise<AsyncDisposable> {
  const connection = await connect({ servers: natsUrl });
  // For each reply one of its own: it answers no ping of the server's, which would end it after some minutes.
  const send = async (message: RawMessage): Promise<void> => {
    await using publisher = await openRawPublisher(natsUrl);
    await publisher.publish(message);
  };
  for (const [plugin, answer] of Object.entries(REPLIES)) {
    for (const subject of [`rpc.${plugin}`, `rpc.${plugin}.*`]) {
      connection.subscribe(subject, {
        callback: (_error, { reply }) => {
          if (reply !== undefined && answer !== undefined) void send({ ...answer, subject: reply });
        },
      });
    }
  }
  await connection.flush();
  return {
    async [Symbol.asyncDispose]() {
      await connection.close();
    },
  };
}
