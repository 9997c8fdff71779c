/**
 * Does a NATS server answer at an address?
 *
 * @module
 */

import { connect } from "node:net";

/** An address of this machine. */
export interface LocalAddress {
  readonly host: string;
  readonly port: number;
}

const PROBE_TIMEOUT_MS = 2_000;

/** A server of NATS speaks first: its INFO line tells. */
export async function natsAnswers({ host, port }: LocalAddress): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
  socket.once("data", (data) => resolve(data.toString().startsWith("INFO ")));
  for (const end of ["error", "close", "timeout"]) socket.once(end, () => resolve(false));
  return await promise.finally(() => socket.destroy());
}
