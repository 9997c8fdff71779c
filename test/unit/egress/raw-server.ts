import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A TCP server on loopback that keeps what it receives and answers what it is told, byte for byte. */
export class RawServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Everything received on all connections, in order. */
  received = "";
  connections = 0;
  port = 0;

  private constructor(answer: (received: string, socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      let text = "";
      socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
      socket.on("data", (chunk: Buffer) => {
        this.received += chunk.toString("latin1");
        text += chunk.toString("latin1");
        answer(text, socket);
      });
    });
  }

  /** `answer` is called with all that a connection has received so far, each time there is more. */
  static async listen(answer: (received: string, socket: Socket) => void, host = "127.0.0.1"): Promise<RawServer> {
    const server = new RawServer(answer);
    server.#server.listen(0, host);
    await once(server.#server, "listening");
    server.port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  /** Answers each request without a body by `response`. */
  static answering(response: string): Promise<RawServer> {
    return RawServer.listen((received, socket) => {
      if (received.endsWith("\r\n\r\n")) socket.write(response, "latin1");
    });
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
