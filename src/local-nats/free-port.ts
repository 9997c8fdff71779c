/**
 * Free TCP ports of loopback, for servers that are about to be started.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Where free ports are looked for: below those that systems give out by themselves (Linux from 32,768 on, others from
 * 49,152), or any connection that is opened before the port is used could have taken it.
 */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_767;

const MAX_LOOKS = 100;

/**
 * @param wanted 0 for any
 * @returns a TCP port of loopback that nobody listened on a moment ago. Rejects when `wanted` is taken.
 */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0) return await claim(wanted);
  for (let look = 1; look < MAX_LOOKS; look += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    const free = await claim(port).catch(isTaken);
    if (free !== undefined) return free;
  }
  return await claim(0);
}

/** Listens on a port for a moment. */
async function claim(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
  return address.port;
}

/** A port may also be one that nobody is to have. */
function isTaken(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
}
