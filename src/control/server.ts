/**
 * A replica's end of its control socket. Each connection carries one request and one answer. All of it is bounded: the
 * request's bytes, the time until the request is complete, the time to make the answer, the time until the command has
 * read it, and the number of connections.
 *
 * Any process that can connect can reload the replica, so the socket has mode 0600 in a folder of mode 0700. Node's
 * permissions keep the replica's children from it, and so do the system's where the children run as another user.
 *
 * @module
 */

import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { HostError } from "../errors/host-error.ts";
import {
  type ControlAnswers,
  type ControlRequest,
  encodeAnswer,
  encodeError,
  MAX_REQUEST_BYTES,
  parseRequest,
} from "./protocol.ts";
import { isListenedOn, makeSocketFolder, removeDeadSockets, socketPath } from "./socket-folder.ts";

/** Makes a replica's answers. `timeoutMs` is the time for one in milliseconds; a later answer is not sent. */
export interface ControlHandlers {
  identify(): ControlAnswers["identify"];
  status(): Promise<ControlAnswers["status"]>;
  reload(timeoutMs: number): Promise<ControlAnswers["reload"]>;
}

export interface ControlServerOptions {
  /** Absolute path. */
  readonly folder: string;
  /** The id of this process, which names the socket. */
  readonly pid: number;
  readonly handlers: ControlHandlers;
  /** Reports the errors that a command saw and did not cause, and connections that could not be accepted. */
  failed(error: unknown): void;
  /** Set by tests, which need shorter ones. */
  readonly times?: Partial<ControlTimes>;
}

/** Time limits of a connection, in milliseconds. */
export interface ControlTimes {
  /** From the connection to the end of the request. */
  readonly requestMs: number;
  /** From the answer until the command has read it. */
  readonly readMs: number;
}

/** A control socket that takes connections, until it is disposed of. */
export interface ControlServer extends AsyncDisposable {
  readonly path: string;
}

const TIMES: ControlTimes = { requestMs: 5_000, readMs: 10_000 };
/** Time for a handler that keeps to `timeoutMs` itself: its error says what it had not finished. */
const HANDLER_GRACE_MS = 500;
/** The most requests at a time; further ones are answered with `overloaded`. */
const MAX_REQUESTS = 8;
/** Connections beyond that are closed without an answer. */
const MAX_CONNECTIONS = 64;

/**
 * Removes the sockets of replicas that are gone from the folder, then listens in it. Throws `usage-invalid` where that is
 * impossible, also where another process listens on the socket of this process id, as in containers that share a folder.
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { folder, pid } = options;
  await makeSocketFolder(folder);
  await removeDeadSockets(folder);
  const path = socketPath(folder, pid);
  if (await isListenedOn(path)) {
    throw new HostError(
      "usage-invalid",
      `another process listens on ${path}: where containers share a folder, give each a control folder of its own by --control`,
    );
  }
  const connections = new Set<Socket>();
  const places: Places = { free: MAX_REQUESTS };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    new Exchange(socket, options, places).begin();
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, path);
  server.on("error", (error) => options.failed(error));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer(server, connections));
  return { path, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  try {
    // Left behind by an earlier process with this id.
    rmSync(path, { force: true });
    server.listen(path, resolve);
    await promise;
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new HostError("usage-invalid", `the control socket ${path} cannot be listened on: ${why}`, { cause: error });
  } finally {
    server.off("error", reject);
  }
}

/** Closes the server and its connections. That removes the socket's file, too. */
async function closeServer(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of connections) {
    if (!socket.writableEnded)
      socket.end(encodeError(new HostError("draining", "the replica has ended before it could answer")));
    socket.destroySoon();
  }
  await promise;
}

/** Places for requests that are being answered. */
interface Places {
  free: number;
}

/** One connection. */
class Exchange {
  readonly #socket: Socket;
  readonly #options: ControlServerOptions;
  readonly #times: ControlTimes;
  readonly #places: Places;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #state: "reading" | "answering" | "ended" = "reading";

  constructor(socket: Socket, options: ControlServerOptions, places: Places) {
    this.#socket = socket;
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#places = places;
  }

  begin(): void {
    const socket = this.#socket;
    this.#timer = setTimeout(() => this.#refuse("the request did not come in time"), this.#times.requestMs);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#close());
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.once("end", () => this.#refuse("the request has no end"));
  }

  #take(chunk: Buffer): void {
    if (this.#state !== "reading") return;
    const end = chunk.indexOf("\n");
    const part = end === -1 ? chunk : chunk.subarray(0, end);
    this.#bytes += part.length;
    this.#chunks.push(part);
    if (this.#bytes > MAX_REQUEST_BYTES) this.#refuse(`the request has more than ${MAX_REQUEST_BYTES} bytes`);
    else if (end !== -1) void this.#answer(Buffer.concat(this.#chunks).toString());
  }

  #refuse(why: string): void {
    if (this.#state === "reading") this.#send(encodeError(new HostError("usage-invalid", why)));
  }

  /** Never rejects. */
  async #answer(line: string): Promise<void> {
    this.#state = "answering";
    clearTimeout(this.#timer);
    try {
      const request = parseRequest(line);
      this.#send(encodeAnswer(await this.#inPlace(request)));
    } catch (error) {
      if (!(error instanceof HostError) || error.code === "internal") this.#options.failed(error);
      this.#send(encodeError(error));
    }
  }

  async #inPlace(request: ControlRequest): Promise<ControlAnswers[ControlRequest["verb"]]> {
    if (this.#places.free === 0)
      throw new HostError("overloaded", "too many commands ask this replica at once: try again");
    this.#places.free -= 1;
    try {
      return await this.#withinTime(request);
    } finally {
      this.#places.free += 1;
    }
  }

  async #withinTime({ verb, timeoutMs }: ControlRequest): Promise<ControlAnswers[ControlRequest["verb"]]> {
    const { handlers } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new HostError("control-timeout", `the replica was not done within ${timeoutMs} ms`)),
      timeoutMs + HANDLER_GRACE_MS,
    );
    try {
      switch (verb) {
        case "identify":
          return handlers.identify();
        case "status":
          return await Promise.race([handlers.status(), late.promise]);
        case "reload":
          return await Promise.race([handlers.reload(timeoutMs), late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends the only answer. The connection ends when the command has read it, or takes too long to. */
  #send(line: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), this.#times.readMs);
    this.#socket.end(line);
    this.#socket.resume();
  }

  #close(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
  }
}
