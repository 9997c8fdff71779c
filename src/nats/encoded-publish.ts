/**
 * Publishes messages whose headers are encoded already, and sequences of messages without headers.
 *
 * The client's own `publish` encodes each command by `TextEncoder`, into a buffer with memory of its own, which V8
 * allocates, tracks and frees: with the check of the subject that goes before it, a tenth of what an echo costs the host
 * (docs/where-the-time-goes.md). So the command is encoded here, into pooled memory, and handed to the client's writer,
 * the one that its `publish` uses. The client's documentation does not list that writer. The package pins the
 * client's version, and {@link encodedPublish} refuses a client without such a writer.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import { HostError } from "../errors/host-error.ts";

/**
 * Publishes a message. The caller has checked that `subject` is valid, that the message fits the server's `max_payload`
 * and that the connection is open. While the connection is down, the client may lose the message.
 */
export type EncodedPublish = (subject: string, headers: Uint8Array, data: Uint8Array) => void;

/** A message without headers. */
export interface PlainMessage {
  readonly subject: string;
  /** The subject for an answer to it. */
  readonly reply?: string;
  readonly data: Uint8Array;
}

/** Publishes messages in this order, under the same conditions as {@link EncodedPublish}. */
export type SequencePublish = (messages: readonly PlainMessage[]) => void;

/** The part of the client that writes commands to the server. */
interface ClientProtocol {
  sendCommand(command: Uint8Array, ...payloads: readonly Uint8Array[]): void;
  /** What the client's `stats()` reports. */
  outBytes: number;
  outMsgs: number;
}

const CRLF = Buffer.from("\r\n");

/** @throws {@link HostError} `internal`, where this version of the client has no such writer */
export function encodedPublish(connection: NatsConnection): EncodedPublish {
  const client = clientProtocol(connection);
  return (subject, headers, data) => {
    const bytes = headers.length + data.length;
    client.outBytes += bytes;
    client.outMsgs += 1;
    client.sendCommand(Buffer.from(`HPUB ${subject} ${headers.length} ${bytes}\r\n`, "utf8"), headers, data, CRLF);
  };
}

/**
 * The messages go to the client's writer together: those around a message's data cost no more than the text of their
 * commands.
 *
 * @throws {@link HostError} `internal`, where this version of the client has no such writer
 */
export function sequencePublish(connection: NatsConnection): SequencePublish {
  const client = clientProtocol(connection);
  return (messages) => {
    const parts: Uint8Array[] = [];
    let commands = "";
    for (const { subject, reply, data } of messages) {
      client.outBytes += data.length;
      client.outMsgs += 1;
      commands += `PUB ${subject} ${reply === undefined ? "" : `${reply} `}${data.length}\r\n`;
      if (data.length > 0) {
        parts.push(Buffer.from(commands, "utf8"), data);
        commands = "";
      }
      commands += "\r\n";
    }
    const [first = Buffer.from(commands, "utf8"), ...rest] = parts;
    if (parts.length > 0) rest.push(Buffer.from(commands, "utf8"));
    client.sendCommand(first, ...rest);
  };
}

function clientProtocol(connection: NatsConnection): ClientProtocol {
  const { protocol } = connection as unknown as { readonly protocol?: Partial<ClientProtocol> };
  if (typeof protocol?.sendCommand !== "function")
    throw new HostError("internal", "this version of the NATS client has no protocol.sendCommand");
  return protocol as ClientProtocol;
}
