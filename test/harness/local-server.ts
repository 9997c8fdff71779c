/**
 * A server on loopback for what plugins send, and a listener that only counts.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";

/** Something that listens on a free port of loopback until it is disposed of. */
export interface LocalServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:<port>` */
  readonly authority: string;
  /** Connections so far. */
  readonly connections: number;
  /** Connections that are open. */
  readonly open: number;
}

/** An HTTP server that answers as it is told. */
export function startHttpServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<LocalServer> {
  return listen(createServer(answer));
}

/** A TCP server that passes each connection on as it is. */
export function startTcpServer(accept: (socket: Socket) => void): Promise<LocalServer> {
  return listen(createTcpServer(accept));
}

async function listen(server: Server): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    // Whoever hangs up in the middle is what some tests are about.
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    authority: `127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
