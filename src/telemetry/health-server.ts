/**
 * The replica's HTTP endpoint for orchestrators and scrapers: `/livez`, `/readyz`, `/metrics`. It only reports state
 * and changes none. It reads no bodies, and bounds the number of connections and their time.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HostError } from "../errors/host-error.ts";
import type { Metrics } from "./metrics.ts";

/**
 * The state of one condition of readiness. `reason` is safe to show: it names no secret. `degraded` says what does not
 * work although requests are served.
 */
export type ReadinessCheck =
  | { readonly ready: true; readonly degraded?: string }
  | { readonly ready: false; readonly reason: string };

/** What must hold before a replica takes requests. */
export type ReadinessCheckName = "nats" | "subscriptions" | "store" | "plugins";

/** All conditions; the replica is ready when each is. */
export type Readiness = Readonly<Record<ReadinessCheckName, ReadinessCheck>>;

/** Options of {@link startHealthServer}. */
export interface HealthServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Called on each `/readyz`; the callee bounds its time. */
  readiness(): Readiness | Promise<Readiness>;
  readonly metrics: Metrics;
  /**
   * Called when a request could not be answered (the client gets a 500 without details), or a connection could not be
   * accepted, for lack of a descriptor.
   */
  failed?(error: unknown): void;
}

/** A listening health server. */
export interface HealthServer extends AsyncDisposable {
  /** Its address, as `http://host:port`. */
  readonly url: string;
  /** Stops listening, lets answers in flight finish for a short time, then closes every connection. Idempotent. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 5_000;
const CLOSE_GRACE_MS = 1_000;

/** Starts listening. Throws `usage-invalid` when the address cannot be used. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: KEEP_ALIVE_MS,
    },
    (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        options.failed?.(error);
        if (!response.headersSent) send(request, response, 500, "text/plain", "internal error\n");
        else response.destroy();
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options);
  server.on("error", (error) => options.failed?.(error));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer(server));
  return { url: urlOf(server), close, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  try {
    await promise;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HostError("usage-invalid", `--health-port ${host}:${port} cannot be listened on: ${why}`, {
      cause: error,
    });
  } finally {
    server.off("error", reject);
  }
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await promise;
  clearTimeout(grace);
}

function urlOf(server: Server): string {
  // A server that listens on a TCP port has an address of this form.
  const { address, family, port } = server.address() as AddressInfo;
  return family === "IPv6" ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

async function answer(options: HealthServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    send(request, response, 405, "text/plain", "only GET and HEAD\n");
    return;
  }
  switch (pathOf(request)) {
    case "/livez":
      send(request, response, 200, "text/plain", "ok\n");
      return;
    case "/readyz":
      sendReadiness(request, response, await options.readiness());
      return;
    case "/metrics":
      send(request, response, 200, options.metrics.contentType, await options.metrics.render());
      return;
    default:
      send(request, response, 404, "text/plain", "try /livez, /readyz or /metrics\n");
  }
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

function sendReadiness(request: IncomingMessage, response: ServerResponse, checks: Readiness): void {
  const ready = Object.values(checks).every((check) => check.ready);
  const body = `${JSON.stringify({ ready, checks })}\n`;
  send(request, response, ready ? 200 : 503, "application/json", body);
}

function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    "content-type": type,
    "content-length": body.length,
    "cache-control": "no-store",
    // Bodies are never read, so a connection with one cannot be used again.
    ...(hasBody(request) && { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}
