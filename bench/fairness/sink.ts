/**
 * A server for the hostile plugin's HTTP requests, which answers each with nothing, at once.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A listening server. Disposing of it ends it with its connections. */
export interface Sink extends AsyncDisposable {
  /** Host and port. */
  readonly authority: string;
}

export async function openSink(): Promise<Sink> {
  const server = createServer((_request, response) => response.writeHead(204).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address, port } = server.address() as AddressInfo;
  return {
    authority: `${address}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
