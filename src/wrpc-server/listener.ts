/**
 * Listens for the wRPC calls of one plugin: a caller names an instance and a function, so the address names the plugin.
 * Connections beyond the bounds are closed at once and counted.
 *
 * @module
 */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { PluginName } from "../contract/names.ts";
import { addressText, type ListenAddress } from "../contract/wrpc-settings.ts";
import { HostError } from "../errors/host-error.ts";
import type { WrpcOutcome, WrpcPluginStats, WrpcStats } from "../telemetry/wrpc-stats.ts";
import { Connection, type ConnectionOptions, type StopCode } from "./connection.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { ServerCertificate } from "./server-certificate.ts";

/** Connections that wait for the replica to accept them; the system may keep fewer. */
const BACKLOG = 511;

export interface ListenerOptions extends Omit<ConnectionOptions, "ended" | "held"> {
  readonly plugin: PluginName;
  readonly address: ListenAddress;
  /** Where it is absent, connections are not encrypted and callers are not authenticated. */
  readonly certificate: ServerCertificate | undefined;
  readonly stats: WrpcStats;
  readonly pluginStats: WrpcPluginStats;
  /** A connection has this outcome; `detail` says more where something was wrong with it. */
  readonly ended: (outcome: WrpcOutcome, detail: string | undefined) => void;
}

/** A listener that is open. */
export class Listener {
  /** As `host:port`. */
  readonly address: string;
  readonly #parts: ListenerOptions;
  /** What all its connections have. */
  readonly #shared: ConnectionOptions;
  readonly #server: Server;
  readonly #tls: TlsServer | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  #idle: PromiseWithResolvers<void> | undefined;

  private constructor(parts: ListenerOptions, server: Server) {
    this.#parts = parts;
    this.#shared = {
      ...parts,
      held: new HeldBytes(parts.stats, parts.pluginStats),
      ended: (outcome, problem) => this.#ended(outcome, problem),
    };
    this.#server = server;
    // A server that listens on a TCP port has an address of this form.
    const { address, port } = server.address() as AddressInfo;
    this.address = addressText({ host: address, port });
    this.#tls = parts.certificate === undefined ? undefined : this.#authenticate(parts.certificate);
    server.on("connection", (socket) => this.#accept(socket));
    server.on("drop", () => this.#ended("too-many"));
    // The system could not hand over a connection, and has closed it.
    server.on("error", (error) => this.#ended("accept-failed", error.message));
  }

  /** Begins to listen. Throws `listen-failed`. */
  static async open(parts: ListenerOptions): Promise<Listener> {
    // A caller ends its side after the parameters, and waits for the result.
    const server = createServer({ allowHalfOpen: true });
    server.maxConnections = FIXED_LIMITS.wrpcPluginConnections;
    const { plugin, address } = parts;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ ...address, backlog: BACKLOG }, resolve);
    try {
      await promise;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `the plugin ${plugin} cannot be served over wRPC on ${addressText(address)}: ${why}`;
      throw new HostError("listen-failed", message, { cause: error });
    } finally {
      server.off("error", reject);
    }
    return new Listener(parts, server);
  }

  /** Accepts no more connections, and refuses calls that are not complete. */
  stop(code: StopCode): void {
    this.#server.close();
    for (const connection of this.#connections) connection.stop(code);
  }

  /** Resolves when no caller waits for a result. */
  async idle(): Promise<void> {
    if (!this.#isBusy) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Closes everything. Idempotent. */
  close(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  get #isBusy(): boolean {
    return [...this.#connections].some(({ isBusy }) => isBusy);
  }

  #accept(socket: Socket): void {
    const { stats, pluginStats, certificate } = this.#parts;
    if (stats.open >= FIXED_LIMITS.wrpcConnections) {
      socket.destroy();
      this.#ended("too-many");
      return;
    }
    stats.open += 1;
    pluginStats.open += 1;
    this.#sockets.add(socket);
    socket.once("close", () => {
      stats.open -= 1;
      pluginStats.open -= 1;
      this.#sockets.delete(socket);
    });
    if (this.#tls === undefined) this.#serve(socket);
    else {
      const renewed = certificate?.renewed();
      if (renewed !== undefined) this.#tls.setSecureContext(renewed);
      this.#tls.emit("connection", socket);
    }
  }

  /** Makes the TLS server that connections are handed to. It does not listen itself. */
  #authenticate(certificate: ServerCertificate): TlsServer {
    const server = createTlsServer({
      ...certificate.content,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: FIXED_LIMITS.wrpcHandshakeMs,
    });
    server.on("secureConnection", (socket) => this.#serve(socket));
    server.on("tlsClientError", (error, socket) => {
      this.#ended("tls-refused", error.message);
      socket.destroy();
    });
    return server;
  }

  #serve(socket: Socket): void {
    const acceptedMs = performance.now();
    const connection = new Connection(socket, acceptedMs, this.#shared);
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      this.#noteIdle();
    });
    this.#parts.charge(acceptedMs);
  }

  #ended(outcome: WrpcOutcome, detail?: string): void {
    this.#parts.pluginStats.end(outcome);
    this.#parts.ended(outcome, detail);
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#idle === undefined || this.#isBusy) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }
}
