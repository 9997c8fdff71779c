/**
 * Opens connections for undici. The order is the point: look the name up, decide on each address, dial only those
 * that passed. Nothing is looked up a second time between the decision and the dialling, so a name that changes
 * its answer (DNS rebinding) gains nothing; and the address that was reached is compared once more.
 *
 * @module
 */

import { connect as connectTcp, type LookupFunction, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { DialRules } from "../../policy/egress-rules.ts";
import { LOOPBACK_ADDRESSES } from "../../policy/special-addresses.ts";
import { describeLookupFailure, ExchangeError } from "./failures.ts";
import type { Resolve } from "./resolver.ts";

/** What connections are opened with. */
export interface ConnectorOptions {
  readonly resolve: Resolve;
  readonly dial: DialRules;
  /** See `HttpClientOptions`. */
  readonly onConnect: (target: string, address: string) => void;
  /** Certificates to trust instead of Node's own; for tests. */
  readonly ca?: string;
}

/** Between attempts at the addresses of one name. */
const ATTEMPT_MS = 250;

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
  const deadline = AbortSignal.timeout(FIXED_LIMITS.httpConnectMs);
  const host = request.hostname.replace(/^\[|\]$/g, "");
  const addresses = await within(deadline, permitted(host, options), "DNS-timeout");
  const socket = open(request, host, addresses, options);
  try {
    const connected = request.protocol === "https:" ? "secureConnect" : "connect";
    await within(deadline, event(socket, connected), "connection-timeout");
    const { remoteAddress = "" } = socket;
    if (options.dial.decide(remoteAddress).kind === "refused") throw prohibited();
    if (isIP(host) === 0) options.onConnect(originOf(request), remoteAddress);
    return socket.setNoDelay(true);
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

/** The addresses of a host that may be dialled; at least one. */
async function permitted(host: string, { resolve, dial }: ConnectorOptions): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await lookUp(host, resolve) : [host];
  const allowed = addresses.filter((address) => dial.decide(address).kind === "allowed");
  if (allowed.length === 0) throw prohibited();
  return allowed;
}

async function lookUp(name: string, resolve: Resolve): Promise<readonly string[]> {
  if (name === "localhost") return LOOPBACK_ADDRESSES;
  try {
    return await resolve(name);
  } catch (error) {
    throw new ExchangeError(describeLookupFailure(error));
  }
}

function open(
  { protocol, port }: buildConnector.Options,
  host: string,
  addresses: readonly string[],
  { ca }: ConnectorOptions,
): Socket {
  const number = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  const isAddress = isIP(host) !== 0;
  // Node asks for a name only, and tries one answer after the other.
  const lookup: LookupFunction = (_name, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    const [first = { address: "", family: 0 }] = found;
    if (all === true) callback(null, found);
    else callback(null, first.address, first.family);
  };
  const dial = {
    host,
    port: number,
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    keepAlive: true,
  };
  if (protocol !== "https:") return connectTcp(dial);
  return connectTls({
    ...dial,
    // An address is no server name (RFC 6066, section 3); the certificate is compared with `host` then.
    ...(!isAddress && { servername: host }),
    ALPNProtocols: ["http/1.1"],
    ...(ca !== undefined && { ca }),
  });
}

function event(socket: Socket, name: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    const closed = (): void => reject(new ExchangeError({ code: "connection-terminated" }));
    socket.once("error", failed).once("close", closed);
    socket.once(name, () => {
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
