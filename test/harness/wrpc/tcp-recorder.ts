/**
 * Stands between a client of wRPC and its server, and notes what both say over TCP.
 *
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { z } from "zod";
import { formatBytes, parseBytes } from "./byte-notation.ts";

/** One connection, which is one call. Both ends have ended their side when they had said it all. */
export const tcpConversationSchema = z.object({
  name: z.string(),
  /** In the notation of `byte-notation.ts`. */
  client: z.string(),
  server: z.string(),
});

export type TcpConversation = z.output<typeof tcpConversationSchema>;

export interface TcpRecorder extends AsyncDisposable {
  /** Where the client finds it. */
  readonly address: string;
  /** The conversation that has begun, or begins, next after those that were taken. */
  next(name: string): Promise<TcpConversation>;
}

/** @param server where the calls go */
export async function startTcpRecorder(server: { readonly host: string; readonly port: number }): Promise<TcpRecorder> {
  const calls: Promise<Omit<TcpConversation, "name">>[] = [];
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    calls.push(converse(client, connect({ ...server, allowHalfOpen: true })));
    proxy.emit("recorded");
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async next(name) {
      let call = calls.shift();
      while (call === undefined) {
        await once(proxy, "recorded");
        call = calls.shift();
      }
      return { name, ...(await call) };
    },
    async [Symbol.asyncDispose]() {
      proxy.close();
      await once(proxy, "close");
    },
  };
}

async function converse(client: Socket, server: Socket): Promise<Omit<TcpConversation, "name">> {
  const [fromClient, fromServer] = await Promise.all([copied(client, server), copied(server, client)]);
  return { client: formatBytes(fromClient), server: formatBytes(fromServer) };
}

async function copied(from: Socket, to: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  from.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    to.write(chunk);
  });
  await once(from, "end");
  to.end();
  return Buffer.concat(chunks);
}

/** Says what a client said, in pieces of at most so many bytes. @returns what the server says to it, in the same notation. */
export async function replayTcp(
  { client }: Pick<TcpConversation, "client">,
  server: { readonly host: string; readonly port: number },
  pieceBytes: number,
): Promise<string> {
  const socket = connect({ ...server, allowHalfOpen: true, noDelay: true });
  await once(socket, "connect");
  const said = socket.toArray();
  const bytes = parseBytes(client);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    // When it was handed to the kernel: two pieces are two packets.
    await new Promise<void>((resolve, reject) => {
      socket.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.end();
  return formatBytes(Buffer.concat((await said) as readonly Buffer[]));
}
