/**
 * A NATS client of a few lines that sends what a well-behaved library refuses to: any header bytes, any reply
 * subject, any method.
 *
 * @module
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Dispose of it with `await using`. */
export interface RawPublisher extends AsyncDisposable {
  /** Sends a message with these header bytes; resolves when the server has taken everything sent so far. */
  publish(message: RawMessage): Promise<void>;
}

export interface RawMessage {
  readonly subject: string;
  readonly reply?: string;
  /** A status of the server's, as in `NATS/1.0 503`; it takes `headers` as well. */
  readonly status?: number;
  /** The header block after its first line, without the empty line at its end. */
  readonly headers?: string | Uint8Array;
  readonly payload?: string | Uint8Array;
}

export async function openRawPublisher(natsUrl: string): Promise<RawPublisher> {
  const { hostname, port } = new URL(natsUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":false}\r\n');
  return {
    async publish(message) {
      socket.write(encode(message));
      await roundTrip(socket);
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

function encode({ subject, reply, status, headers, payload = "" }: RawMessage): Buffer {
  const body = Buffer.from(payload);
  const to = [subject, reply].filter((part) => part !== undefined).join(" ");
  if (headers === undefined) return Buffer.concat([Buffer.from(`PUB ${to} ${body.length}\r\n`), body, CRLF]);
  const version = status === undefined ? "NATS/1.0\r\n" : `NATS/1.0 ${status}\r\n`;
  const head = Buffer.concat([Buffer.from(version), Buffer.from(headers), CRLF, CRLF]);
  const command = Buffer.from(`HPUB ${to} ${head.length} ${head.length + body.length}\r\n`);
  return Buffer.concat([command, head, body, CRLF]);
}

const CRLF = Buffer.from("\r\n");

async function roundTrip(socket: Socket): Promise<void> {
  let answer = "";
  socket.write("PING\r\n");
  for await (const [chunk] of on(socket)) {
    answer += String(chunk);
    if (answer.includes("-ERR")) throw new Error(`the server refused: ${answer}`);
    if (answer.includes("PONG")) return;
  }
}

async function* on(socket: Socket): AsyncGenerator<readonly unknown[]> {
  for (;;) yield await once(socket, "data");
}
