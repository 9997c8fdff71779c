import { connect } from "node:net";

const PROBE_TIMEOUT_MS = 2_000;

/** Does something listen there? All that can be told of a server that waits for the client's TLS handshake. */
export async function natsListens({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
  socket.once("connect", () => resolve(true));
  for (const end of ["error", "close", "timeout"]) socket.once(end, () => resolve(false));
  return promise.finally(() => socket.destroy());
}
