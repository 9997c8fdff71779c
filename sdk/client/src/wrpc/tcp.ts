/**
 * wRPC over TCP: a connection for each invocation. The client sends what it calls and the parameters and ends its half; the
 * server sends the result and ends the other.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { failureOf } from "../call-error.ts";
import type { ErrorCode } from "../error-codes.ts";
import { BoundedBytes } from "./bounded-bytes.ts";
import { encodeFrame, encodeOpening, FrameReader } from "./frames.ts";
import { HANDLER } from "./handler-values.ts";
import type { Invocation, Invoked, WrpcTransport } from "./transport.ts";
import { WrpcPlugin, type WrpcPluginOptions } from "./wrpc-plugin.ts";

/** Where a replica serves the plugin. */
export interface WrpcTcpOptions extends WrpcPluginOptions {
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  readonly port: number;
  /** Without it the connection is not encrypted. `cert` and `key` are this client's own, which a replica asks for. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "cert" | "key" | "passphrase" | "servername" | "minVersion">;
  /** The plugin's name, for the texts of errors. The address unless given: the port says which plugin it is. */
  readonly plugin?: string;
}

/** Frames of a result, at most: a replica sends one, or a few where it is long. */
const MAX_FRAMES = 65_536;

/** A plugin that a replica serves over TCP. Nothing is connected before the first call, and nothing stays connected. */
export function wrpcOverTcp(options: WrpcTcpOptions): WrpcPlugin {
  return new WrpcPlugin(new TcpTransport(options), options);
}

class TcpTransport implements WrpcTransport {
  readonly plugin: string;
  readonly #options: WrpcTcpOptions;

  constructor(options: WrpcTcpOptions) {
    this.#options = options;
    this.plugin = options.plugin ?? `${options.host ?? "127.0.0.1"}:${options.port}`;
  }

  invoke(invocation: Invocation): Promise<Invoked> {
    // Before this event nothing of the call has been sent.
    const opened = this.#options.tls === undefined ? "connect" : "secureConnect";
    return exchange(() => this.#connect(), opened, invocation);
  }

  #connect(): Socket {
    const { host = "127.0.0.1", port, tls } = this.#options;
    if (tls === undefined) return connect({ host, port, noDelay: true });
    const socket = connectTls({ ...tls, host, port });
    return socket.setNoDelay(true);
  }
}

function exchange(open: () => Socket, opened: "connect" | "secureConnect", invocation: Invocation): Promise<Invoked> {
  return new Promise((resolve) => {
    const result = new ResultReader(invocation.maxResultBytes);
    const socket = open();
    let state: "connecting" | "connected" = "connecting";
    const end = (invoked: Invoked): void => {
      resolve(invoked);
      socket.destroy();
    };
    // The caller has settled; the server learns of it.
    invocation.signal.addEventListener("abort", () => socket.destroy(), { once: true });
    socket.on(opened, () => (state = "connected"));
    socket.on("data", (chunk: Uint8Array) => {
      const problem = result.push(chunk);
      if (problem !== undefined) end(problem);
    });
    socket.on("end", () => end(result.ended));
    // A server that does not read everything resets the connection, perhaps after its result.
    socket.on("error", (cause) => end(result.isEmpty ? broken(state, cause) : result.ended));
    socket.on("close", () => end(result.ended));
    socket.write(encodeOpening({ instance: HANDLER, name: invocation.func }));
    for (const part of encodeFrame(invocation.params)) socket.write(part);
    socket.end();
  });
}

/** The result as far as it has come. */
class ResultReader {
  readonly #frames = new FrameReader("callee", MAX_FRAMES);
  readonly #maxBytes: number;
  readonly #received: BoundedBytes;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#received = new BoundedBytes(maxBytes);
  }

  get isEmpty(): boolean {
    return this.#received.length === 0;
  }

  get ended(): Invoked {
    return { kind: "ended", bytes: this.#received.join() };
  }

  /** Returns why the chunk cannot be a part of the result; `undefined` where it can. */
  push(chunk: Uint8Array): Invoked | undefined {
    for (const event of this.#frames.push(chunk)) {
      if (event.kind === "malformed") return failed("bad-reply", `the server does not speak wRPC: ${event.problem}`);
      if (event.kind === "data" && !this.#received.add(event.data))
        return failed("bad-reply", `the result has more than ${this.#maxBytes} bytes`);
    }
    return undefined;
  }
}

function broken(state: "connecting" | "connected", cause: Error): Invoked {
  return state === "connecting"
    ? failed("no-responders", `no connection: ${cause.message}`, cause)
    : failed("bad-reply", `the connection broke before the result: ${cause.message}`, cause);
}

function failed(code: ErrorCode, text: string, cause?: Error): Invoked {
  return { kind: "failed", failure: failureOf(code, text, cause === undefined ? {} : { cause }) };
}
