import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";

/**
 * A client of a few lines that speaks NATS over a socket and knows of the host no more than docs/protocol.md.
 */
class PlainClient implements Disposable {
  readonly #socket: Socket;
  #received = "";
  #subscriptions = 0;

  static async connect(url: string): Promise<PlainClient> {
    const { hostname, port } = new URL(url);
    const socket = connectSocket(Number(port), hostname);
    await once(socket, "connect");
    return new PlainClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => (this.#received += text));
    socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true,"protocol":1}\r\n');
  }

  /** The raw reply: everything from its first header to the end of its data. */
  async request(subject: string, headers: readonly string[], payload: string): Promise<string> {
    this.#subscriptions += 1;
    const inbox = `_INBOX.plain.${process.pid}.${this.#subscriptions}`;
    const head = `NATS/1.0\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n`;
    const from = this.#received.length;
    this.#socket.write(`SUB ${inbox} ${this.#subscriptions}\r\n`);
    this.#socket.write(
      `HPUB ${subject} ${inbox} ${head.length} ${head.length + payload.length}\r\n${head}${payload}\r\n`,
    );
    for (;;) {
      const match = /HMSG \S+ \d+ \d+ (\d+)\r\n/.exec(this.#received.slice(from));
      if (match !== null) {
        const start = from + match.index + match[0].length;
        const bytes = Number(match[1]);
        if (this.#received.length >= start + bytes) return this.#received.slice(start, start + bytes);
      }
      await once(this.#socket, "data");
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

describe("a client that knows only the protocol's page", () => {
  const plugin = uniqueName("plain");
  let replica: Replica;
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    replica = await startReplica({
      consumer: consumerFile({ group: "plain", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }),
      policies: {},
    });
  });

  afterAll(async () => {
    await replica[Symbol.asyncDispose]();
    await nats.close();
  });

  test("gets the plugin's answer, byte for byte as the page has it", async () => {
    using client = await PlainClient.connect(inject("natsUrl"));
    expect(await client.request(`rpc.${plugin}.echo`, ["Rpc-Id: a1"], "hello")).toBe(
      "NATS/1.0\r\nRpc-Status: 200\r\nRpc-Id: a1\r\n\r\nhello",
    );
    expect(await client.request(`rpc.${plugin}`, ["rpc-method: status", "RPC-ID: a2"], "418")).toBe(
      "NATS/1.0\r\nRpc-Status: 418\r\nRpc-Id: a2\r\n\r\n",
    );
  });

  test("gets a failure, byte for byte as the page has it", async () => {
    using client = await PlainClient.connect(inject("natsUrl"));
    expect(await client.request(`rpc.${plugin}.err`, ["Rpc-Id: a3"], "")).toBe(
      "NATS/1.0\r\nNats-Service-Error: the plugin says no\r\nNats-Service-Error-Code: 500\r\n" +
        "Rpc-Error: plugin-error\r\nRpc-Retryable: false\r\nRpc-Id: a3\r\n\r\nthe plugin says no",
    );
  });

  test("gets the server's own answer where nobody serves", async () => {
    using client = await PlainClient.connect(inject("natsUrl"));
    expect(await client.request(`rpc.${uniqueName("nobody")}`, [], "")).toMatch(/^NATS\/1\.0 503/);
  });

  test("finds the plugin by service discovery", async () => {
    const ask = async (subject: string): Promise<Record<string, unknown>> => {
      const message = await nats.request(subject, "", { timeout: 60_000 });
      return message.json<Record<string, unknown>>();
    };
    await nats.request(`rpc.${plugin}.echo`, "x", { timeout: 60_000 });
    const ping = await ask(`$SRV.PING.${plugin}`);
    expect(ping).toMatchObject({ type: "io.nats.micro.v1.ping_response", name: plugin });
    expect(ping["version"]).toMatch(/^0\.0\.0\+[0-9a-f]{12}$/);
    const info = await ask(`$SRV.INFO.${plugin}.${String(ping["id"])}`);
    expect(info).toMatchObject({
      type: "io.nats.micro.v1.info_response",
      endpoints: [{ name: "handle-request", subject: `rpc.${plugin}`, queue_group: "plain", metadata: {} }],
    });
    const stats = await ask(`$SRV.STATS.${plugin}`);
    expect(stats).toMatchObject({
      type: "io.nats.micro.v1.stats_response",
      endpoints: [{ num_errors: expect.any(Number), data: { state: "granted", inFlight: 0, shed: 0 } }],
    });
    const [endpoint] = stats["endpoints"] as {
      num_requests: number;
      processing_time: number;
      data: { digest: string };
    }[];
    expect(endpoint?.num_requests).toBeGreaterThan(0);
    expect(endpoint?.processing_time).toBeGreaterThan(0);
    expect(endpoint?.data.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(Number.isNaN(Date.parse(String(stats["started"])))).toBe(false);
  });
});
