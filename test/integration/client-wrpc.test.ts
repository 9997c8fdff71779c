/**
 * The client's wRPC: over NATS, on a real NATS server, against a hand-written server that says what the crates' own says (each
 * message is one that was seen on the wire), and over TCP and TLS against a replica.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createInbox, headers as createHeaders, type Msg, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { isCallError } from "../../sdk/client/src/index.ts";
import { wrpcOverNats, wrpcOverTcp, type WrpcPlugin } from "../../sdk/client/src/wrpc.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { createCertificate } from "../harness/certificate.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";

const PREFIX = "test-wrpc";
const EMPTY = new Uint8Array(0);

let connection: NatsConnection;

beforeAll(async () => {
  connection = await connect({ servers: inject("natsUrl") });
});

afterAll(async () => {
  await connection.close();
});

interface ServedOptions {
  readonly server?: NatsConnection;
  /** Answer the invocation with this instead of the handshake. */
  readonly status?: readonly [code: number, description: string];
  /** Messages of the result after the handshake; an empty one ends it. */
  readonly results?: readonly Uint8Array[];
  /** Answer without waiting for the end of the parameters. */
  readonly isEarly?: boolean;
}

interface Served {
  readonly name: string;
  readonly plugin: WrpcPlugin;
  readonly invocations: Msg[];
  /** Messages of parameters after the first; an empty one ends them. */
  readonly parameters: Uint8Array[];
}

/** Serves a plugin by hand. */
function serve(options: ServedOptions = {}): Served {
  const { server = connection, status, results = [], isEarly = false } = options;
  const name = uniqueName("wrpc");
  const served: Served = {
    name,
    plugin: wrpcOverNats(server, { prefix: PREFIX, plugin: name }),
    invocations: [],
    parameters: [],
  };
  server.subscribe(`${PREFIX}.${name}.wrpc.0.0.1.local:network-host/handler@1.0.0.*`, {
    callback: (_error, message) => {
      served.invocations.push(message);
      const { reply = "" } = message;
      if (status !== undefined) {
        server.publish(reply, EMPTY, { headers: createHeaders(...status) });
        return;
      }
      const answer = (): void => {
        for (const result of results) server.publish(`${reply}.results`, result);
      };
      const inbox = createInbox();
      server.subscribe(`${inbox}.params`, {
        callback: (_failure, { data }) => {
          served.parameters.push(data);
          if (data.length === 0 && !isEarly) answer();
        },
      });
      server.publish(reply, EMPTY, { reply: inbox });
      if (isEarly) answer();
    },
  });
  return served;
}

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

async function failureOf(call: Promise<unknown>): Promise<{ code: string; message: string; mayHaveRun: boolean }> {
  try {
    await call;
  } catch (error) {
    if (!isCallError(error)) throw error;
    return { code: error.code, message: error.message, mayHaveRun: error.mayHaveRun };
  }
  throw new Error("the call succeeded");
}

describe("over NATS, a call", () => {
  test("of handle-request is the recorded conversation", async () => {
    const { name, plugin, invocations, parameters } = serve({ results: [bytes("00f703026869"), EMPTY] });
    const reply = await plugin.handleRequest("ok", "hi", { id: "7" });
    expect([reply.status, reply.text(), reply.id]).toEqual([503, "hi", "7"]);
    const [invocation] = invocations;
    expect(invocation?.subject).toBe(`${PREFIX}.${name}.wrpc.0.0.1.local:network-host/handler@1.0.0.handle-request`);
    expect(Buffer.from(invocation?.data ?? "").toString("hex")).toBe("0137026f6b026869");
    expect(parameters.map(({ length }) => length)).toEqual([0]);
  });

  test("of get-access-levels sends no bytes at all", async () => {
    const { plugin, invocations, parameters } = serve({ results: [bytes("05"), EMPTY] });
    expect(await plugin.accessLevels()).toEqual(["key-value-read", "outbound-http"]);
    expect(invocations[0]?.data).toHaveLength(0);
    expect(parameters.map(({ length }) => length)).toEqual([0]);
  });

  test("takes a result before the server has all parameters, and in any number of messages", async () => {
    const results = [bytes("00c8"), bytes("0103"), bytes("61"), bytes("6263"), EMPTY];
    const { plugin } = serve({ results, isEarly: true });
    const reply = await plugin.handleRequest("", "x");
    expect([reply.status, reply.text()]).toEqual([200, "abc"]);
  });

  test("sends what does not fit the first message after the handshake, in as few messages as possible", async () => {
    const { plugin, invocations, parameters } = serve({ results: [bytes("00c80100"), EMPTY] });
    const maxBytes = connection.info?.max_payload ?? 0;
    const payload = new Uint8Array(2.5 * maxBytes).fill(9);
    await plugin.handleRequest("m", payload, { id: "1" });
    expect(invocations[0]?.data).toHaveLength(maxBytes);
    expect(parameters.map(({ length }) => length)).toEqual([maxBytes, payload.length + 8 - 2 * maxBytes, 0]);
    const sent = Buffer.concat([invocations[0]?.data ?? EMPTY, ...parameters]);
    expect(sent.subarray(0, 8).toString("hex")).toBe("0131016d8080a001");
    expect(sent.subarray(8).equals(payload)).toBe(true);
  });

  test("beside hundreds of others gets its own result", async () => {
    const { plugin } = serve({ results: [bytes("00c80100"), EMPTY], isEarly: true });
    const replies = await Promise.all(
      Array.from({ length: 300 }, async (_, at) => plugin.handleRequest("", "", { id: `n-${at}` })),
    );
    expect(replies.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, at) => `n-${at}`));
  });
});

describe("over NATS, a call that fails", () => {
  test("where nobody serves the plugin is told so at once", async () => {
    const plugin = wrpcOverNats(connection, { prefix: PREFIX, plugin: uniqueName("nobody") });
    const startMs = performance.now();
    expect(await failureOf(plugin.handleRequest("", "", { timeoutMs: 60_000 }))).toMatchObject({
      code: "no-responders",
      mayHaveRun: false,
    });
    expect(performance.now() - startMs).toBeLessThan(30_000);
  });

  test("with a status has the code that the status names, or is bad-reply", async () => {
    const refused = serve({ status: [429, "overloaded: too many"] });
    expect(await failureOf(refused.plugin.accessLevels())).toMatchObject({ code: "overloaded", mayHaveRun: false });
    const other = serve({ status: [408, "Request Timeout"] });
    expect(await failureOf(other.plugin.accessLevels())).toMatchObject({ code: "bad-reply" });
  });

  test("with an incomplete result is bad-reply, and the plugin may have run", async () => {
    for (const results of [[EMPTY], [bytes("00c801"), EMPTY]]) {
      const { plugin } = serve({ results });
      expect(await failureOf(plugin.handleRequest("", ""))).toMatchObject({ code: "bad-reply", mayHaveRun: true });
    }
  });

  test("by its time budget or by a signal does not wait for the server", async () => {
    const { plugin, invocations } = serve();
    expect(await failureOf(plugin.handleRequest("", "", { timeoutMs: 50 }))).toMatchObject({
      code: "deadline-exceeded",
    });
    const controller = new AbortController();
    const call = plugin.handleRequest("", "", { signal: controller.signal, timeoutMs: 60_000 });
    await expect.poll(() => invocations.length).toBe(2);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });

  test("because its connection is closed says whether the plugin may have run", async () => {
    const own = await connect({ servers: inject("natsUrl") });
    const { plugin, invocations } = serve({ server: own });
    const call = failureOf(plugin.handleRequest("", "", { timeoutMs: 60_000 }));
    await expect.poll(() => invocations.length).toBe(1);
    await own.close();
    expect(await call).toMatchObject({ code: "nats-unavailable", mayHaveRun: true });
    expect(await failureOf(plugin.handleRequest("", ""))).toMatchObject({
      code: "nats-unavailable",
      mayHaveRun: false,
    });
  });

  test("for its prefix or its plugin's name is refused before anything is sent", () => {
    for (const prefix of ["", "a.", "a..b", "a.*", ">", "a b"])
      expect(() => wrpcOverNats(connection, { prefix, plugin: "echo" })).toThrow(RangeError);
    for (const plugin of ["", "a.b", "*", "Echo", "x".repeat(64)])
      expect(() => wrpcOverNats(connection, { prefix: PREFIX, plugin })).toThrow(RangeError);
  });
});

describe("over TCP, a replica", () => {
  test("answers the client with certificates on both sides, and no other", async () => {
    const name = uniqueName("tls");
    const [server, caller] = [createCertificate(["127.0.0.1"]), createCertificate(["caller"])];
    const folder = await mkdtemp(join(tmpdir(), "client-wrpc-"));
    try {
      const files = { certFile: server.cert, keyFile: server.key, clientCaFile: caller.cert };
      for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
      const tls = Object.fromEntries(Object.keys(files).map((file) => [file, join(folder, file)]));
      const port = await freePort();
      const wrpc = { tcp: { plugins: [{ name, listen: `127.0.0.1:${port}` }], tls } };
      const plugins = { [name]: COMPONENTS.gauntlet("read-write") };
      const policies = policyFiles({ [name]: READ_WRITE });
      await using _replica = await startReplica({
        consumer: consumerFile({
          group: "wrpc",
          plugins,
          limits: { payloadBytes: 4_000_000, replyBytes: 4_000_000 },
          wrpc,
        }),
        policies,
      });
      const { cert, key } = caller;
      const plugin = wrpcOverTcp({ port, plugin: name, timeoutMs: 60_000, tls: { ca: server.cert, cert, key } });
      expect(await plugin.accessLevels()).toEqual(["key-value-read", "key-value-write"]);
      const bodies = Array.from({ length: 16 }, (_, at) => new Uint8Array(3_000_000 * (at % 2)).fill(at));
      const replies = await Promise.all(bodies.map(async (body) => plugin.handleRequest("echo", body)));
      expect(replies.every(({ body }, at) => Buffer.compare(body, bodies[at] ?? body) === 0)).toBe(true);
      expect(await failureOf(plugin.handleRequest("err"))).toMatchObject({ code: "plugin-error" });
      expect(await failureOf(plugin.handleRequest("trap"))).toMatchObject({ code: "plugin-trapped" });
      expect(await failureOf(plugin.handleRequest("echo", new Uint8Array(5_000_000)))).toMatchObject({
        code: "payload-too-large",
      });
      const stranger = wrpcOverTcp({ port, timeoutMs: 60_000, tls: { ca: server.cert } });
      expect((await failureOf(stranger.accessLevels())).code).toMatch(/^bad-reply$|^no-responders$/);
      const careful = wrpcOverTcp({ port, timeoutMs: 60_000, tls: { cert, key } });
      expect(await failureOf(careful.accessLevels())).toMatchObject({ code: "no-responders", mayHaveRun: false });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
