/**
 * Opens connections for undici. The order is the point: look the name up, decide on each address, dial only those
 * that passed. Nothing is looked up a second time between the decision and the dialling, so a name that changes
 * its answer (DNS rebinding) gains nothing; and the address that was reached is compared once more.
 *
 * @module
 */

import { isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { DialRules } from "../../policy/egress-rules.ts";
import { LOOPBACK_ADDRESSES } from "../../policy/special-addresses.ts";
import { dial } from "./dial.ts";
import { describeLookupFailure, ExchangeError } from "./failures.ts";
import type { LookUps } from "./look-ups.ts";
import type { FoundAddresses, Resolve } from "./resolver.ts";

/** What connections are opened with. */
export interface ConnectorOptions {
  readonly resolve: Resolve;
  /** Counts the look-ups in progress. */
  readonly lookUps: LookUps;
  readonly dial: DialRules;
  /** See `HttpClientOptions`. */
  readonly onConnect: (target: string, address: string) => void;
  /** Certificates to trust instead of Node's own; for tests. */
  readonly ca?: string;
}

/** Makes a connector for undici's `connect`. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  return (request, callback) => void answer(request, options, callback);
}

async function answer(
  request: buildConnector.Options,
  options: ConnectorOptions,
  callback: buildConnector.Callback,
): Promise<void> {
  let socket: Socket;
  try {
    socket = await connect(request, options);
  } catch (error) {
    callback(error as Error, null);
    return;
  }
  callback(null, socket);
}

async function connect(request: buildConnector.Options, options: ConnectorOptions): Promise<Socket> {
  const done = new AbortController();
  const deadline = AbortSignal.timeout(FIXED_LIMITS.httpConnectMs);
  const signal = AbortSignal.any([deadline, done.signal]);
  const host = request.hostname.replace(/^\[|\]$/g, "");
  try {
    const found = options.lookUps.during(originOf(request), () => permitted(host, options, signal));
    const addresses = await within(deadline, found, "DNS-timeout");
    const port = portOf(request);
    const tcp = await within(deadline, dial({ ...addresses, port, signal }), "connection-timeout");
    return await finish(request, host, tcp, options, deadline);
  } finally {
    // Whatever is still looked up or dialled is not needed.
    done.abort(new ExchangeError({ code: "connection-timeout" }));
  }
}

/** From the open connection to the one that is handed on. */
async function finish(
  request: buildConnector.Options,
  host: string,
  tcp: Socket,
  options: ConnectorOptions,
  deadline: AbortSignal,
): Promise<Socket> {
  const socket = request.protocol === "https:" ? secure(tcp, host, options) : tcp;
  try {
    if (socket !== tcp) await within(deadline, secured(socket), "connection-timeout");
    const { remoteAddress = "" } = socket;
    if (options.dial.decide(remoteAddress).kind === "refused") throw prohibited();
    if (isIP(host) === 0) options.onConnect(originOf(request), remoteAddress);
    return socket;
  } catch (error) {
    // Its own error is on its way to the caller.
    socket.on("error", () => undefined).destroy();
    throw error;
  }
}

/** undici leaves a scheme's own port out, as targets do. */
function originOf({ protocol, hostname, port }: buildConnector.Options): string {
  return `${protocol}//${hostname}${port === "" ? "" : `:${port}`}`;
}

function portOf({ protocol, port }: buildConnector.Options): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

/** The addresses of a host that may be dialled; at least one. */
async function permitted(
  host: string,
  { resolve, dial: rules }: ConnectorOptions,
  signal: AbortSignal,
): Promise<FoundAddresses> {
  const mayBeDialled = (address: string): boolean => rules.decide(address).kind === "allowed";
  const found = isIP(host) === 0 ? await lookUp(host, resolve, signal) : only([host]);
  const addresses = found.addresses.filter(mayBeDialled);
  const late = found.late.then((more) => more.filter(mayBeDialled));
  if (addresses.length > 0) return { addresses, late };
  // What comes late is all that there may be.
  const rest = await late;
  if (rest.length === 0) throw prohibited();
  return only(rest);
}

function only(addresses: readonly string[]): FoundAddresses {
  return { addresses, late: Promise.resolve([]) };
}

async function lookUp(name: string, resolve: Resolve, signal: AbortSignal): Promise<FoundAddresses> {
  if (name === "localhost") return only(LOOPBACK_ADDRESSES);
  try {
    return await resolve(name, signal);
  } catch (error) {
    throw new ExchangeError(describeLookupFailure(error));
  }
}

function secure(socket: Socket, host: string, { ca }: ConnectorOptions): Socket {
  return connectTls({
    socket,
    host,
    // An address is not a server name (RFC 6066, section 3); the certificate is compared with `host` then.
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ["http/1.1"],
    ...(ca !== undefined && { ca }),
  });
}

function secured(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    const closed = (): void => reject(new ExchangeError({ code: "connection-terminated" }));
    socket.once("error", failed).once("close", closed);
    socket.once("secureConnect", () => {
      socket.off("error", failed).off("close", closed);
      resolve();
    });
  });
}

function within<Value>(
  deadline: AbortSignal,
  promise: Promise<Value>,
  code: "DNS-timeout" | "connection-timeout",
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new ExchangeError({ code }));
    if (deadline.aborted) late();
    deadline.addEventListener("abort", late, { once: true });
    promise.finally(() => deadline.removeEventListener("abort", late)).then(resolve, reject);
  });
}

function prohibited(): ExchangeError {
  return new ExchangeError({ code: "destination-IP-prohibited" });
}
