/**
 * A name server on loopback: over UDP, for address records, as RFC 1035 has its messages. It answers what it is told,
 * or nothing at all.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

type RecordType = "A" | "AAAA";

/** What is answered to a question: addresses, that there is no such name, or never. */
export type DnsAnswer = readonly string[] | "no such name" | "silence" | Promise<readonly string[]>;

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** Every question so far, as `A name`. */
  readonly questions: readonly string[];
}

const TYPES: ReadonlyMap<number, RecordType> = new Map([
  [1, "A"],
  [28, "AAAA"],
]);
const HEADER_BYTES = 12;
const TTL_SECONDS = 1;
const RESPONSE = 0x8180;
const NO_SUCH_NAME = 3;

/** Starts one that answers as `answer` says. */
export async function startDnsServer(answer: (name: string, type: RecordType) => DnsAnswer): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const questions: string[] = [];
  socket.on("message", (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${type} ${name}`);
    const given = answer(name, type);
    if (given === "silence") return;
    void Promise.resolve(given).then((addresses) => {
      const message = respond(query.subarray(0, end), addresses === "no such name" ? undefined : addresses);
      // The one who asked may be gone, and so may this server.
      if (socket.listenerCount("message") > 0) socket.send(message, from.port, from.address, () => undefined);
    });
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    async [Symbol.asyncDispose]() {
      socket.removeAllListeners("message");
      socket.close();
      await once(socket, "close");
    },
  };
}

function readQuestion(query: Buffer): { name: string; type: RecordType; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = TYPES.get(query.readUInt16BE(at + 1));
  if (type === undefined) throw new Error("the name server was asked for other records than addresses");
  return { name: labels.join("."), type, end: at + 5 };
}

function respond(question: Buffer, addresses: readonly string[] | undefined): Buffer {
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(RESPONSE | (addresses === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(addresses?.length ?? 0, 6);
  // No authority and no additional records, whatever the question brought of the latter.
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question.subarray(HEADER_BYTES), ...(addresses ?? []).map(record)]);
}

function record(address: string): Buffer {
  const data = Buffer.from(isIPv4(address) ? address.split(".").map(Number) : ipv6Bytes(address));
  const head = Buffer.alloc(12);
  // The name is that of the question, by a pointer to it.
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  head.writeUInt16BE(data.length === 4 ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(TTL_SECONDS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): number[] {
  const [front = "", back = ""] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(front), groups(back)];
  const middle = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return [...first, ...middle, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}
