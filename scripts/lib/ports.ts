import { once } from "node:events";
import { createServer } from "node:net";

/**
 * @param wanted 0 for any
 * @returns a TCP port of loopback that nobody listened on a moment ago. Rejects when `wanted` is taken.
 */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  server.listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
  return address.port;
}
