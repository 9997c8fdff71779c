/**
 * Plugins that a replica serves over wRPC on NATS: the real command line, a real component, and the TypeScript client. The
 * clients of the crates are in test/authors.
 */

import { connect, createInbox, type Msg, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { until } from "../../scripts/lib/until.ts";
import { isCallError } from "../../sdk/client/src/index.ts";
import { wrpcOverNats, type WrpcPlugin } from "../../sdk/client/src/wrpc.ts";
import { encodeValue, HANDLE_REQUEST } from "../../src/wrpc/handler-functions.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { startConfiguredNatsServer } from "../harness/server.ts";

const MIB = 1024 * 1024;
/** Of these tests alone: the NATS server is shared. */
const PREFIX = uniqueName("wrpc");

let nats: NatsConnection;

beforeAll(async () => {
  nats = await connect({ servers: inject("natsUrl") });
});

afterAll(async () => {
  await nats.close();
});

interface Served {
  readonly [plugin: string]: string;
}

/** A consumer file that serves all these plugins over wRPC, too. */
function consumer(plugins: Served, limits: Readonly<Record<string, number>> = {}): string {
  const wrpc = { nats: { prefix: PREFIX, plugins: Object.keys(plugins) } };
  return consumerFile({ group: "wrpc", plugins, limits, wrpc });
}

function plugin(name: string, connection: NatsConnection = nats): WrpcPlugin {
  return wrpcOverNats(connection, { prefix: PREFIX, plugin: name, timeoutMs: 60_000 });
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const outcome = await call.then(
    () => "answered",
    (error: unknown) => error,
  );
  return isCallError(outcome) ? outcome.code : String(outcome);
}

function subjectOf(name: string, func = "handle-request"): string {
  return `${PREFIX}.${name}.wrpc.0.0.1.local:network-host/handler@1.0.0.${func}`;
}

describe("a replica", () => {
  test("serves the plugins on its list over wRPC on NATS, with the same log and metrics, and no other", async () => {
    const [echo, quiet] = [uniqueName("echo"), uniqueName("quiet")];
    const file = consumerFile({
      group: "wrpc",
      plugins: { [echo]: COMPONENTS.gauntlet("none"), [quiet]: COMPONENTS.gauntlet("none") },
      wrpc: { nats: { prefix: PREFIX, plugins: [echo] } },
    });
    await using replica = await startReplica({ consumer: file, policies: {} });
    const texts = Array.from({ length: 64 }, (_, at) => `call ${at}`);
    const replies = await Promise.all(
      texts.map(async (text) => plugin(echo).handleRequest("echo", text, { id: text.replace(" ", "-") })),
    );
    expect(replies.map((reply) => reply.text())).toEqual(texts);
    expect((await plugin(echo).handleRequest("id", "", { id: "mine" })).text()).toBe("mine");
    expect((await plugin(echo).handleRequest("status", "404")).status).toBe(404);
    expect(await codeOf(plugin(quiet).handleRequest("echo", "x"))).toBe("no-responders");
    expect((await request(nats, `rpc.${quiet}.echo`, "x")).text).toBe("x");
    const count = texts.length + 2;
    const records = (): number =>
      replica.records.filter(({ msg, plugin: of }) => msg === "request" && of === echo).length;
    await until(() => Promise.resolve(records() === count), { what: "every call is recorded" });
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    expect(metrics).toContain(`network_host_requests_total{plugin="${echo}",outcome="ok"} ${count}`);
  });

  test("carries bodies of every size both ways, 16 at a time", async () => {
    const name = uniqueName("large");
    const limits = { payloadBytes: 9 * MIB, replyBytes: 9 * MIB, deadlineMs: 120_000 };
    await using _replica = await startReplica({
      consumer: consumer({ [name]: COMPONENTS.echo }, limits),
      policies: {},
    });
    const maxBytes = nats.info?.max_payload ?? 0;
    for (const size of [0, 1, maxBytes - 9, maxBytes, maxBytes + 1, 8 * MIB]) {
      const bodies = Array.from({ length: 16 }, (_, at) => new Uint8Array(size).fill(at + 1));
      const replies = await Promise.all(bodies.map(async (body) => plugin(name).handleRequest("", body, { id: "i" })));
      for (const [at, { body }] of replies.entries())
        expect(Buffer.compare(body, bodies[at] ?? body), `${size}`).toBe(0);
    }
  });

  test("applies policy, limits, deadlines and traps as to requests", async () => {
    const [user, denied] = [uniqueName("user"), uniqueName("denied")];
    const component = COMPONENTS.gauntlet("read-write");
    const policies = policyFiles({
      [user]: { ...READ_WRITE, limits: { payloadBytes: 100, deadlineMs: 2_000, concurrency: 1 } },
    });
    await using _replica = await startReplica({
      consumer: consumer({ [user]: component, [denied]: component }),
      policies,
    });
    const called = plugin(user);
    expect(await called.accessLevels()).toEqual(["key-value-read", "key-value-write"]);
    expect(await codeOf(called.handleRequest("echo", new Uint8Array(101)))).toBe("payload-too-large");
    expect(await codeOf(called.handleRequest("echo", new Uint8Array(3 * MIB)))).toBe("payload-too-large");
    expect(await codeOf(called.handleRequest("err"))).toBe("plugin-error");
    expect(await codeOf(called.handleRequest("trap"))).toBe("plugin-trapped");
    const slow = codeOf(called.handleRequest("loop"));
    await until(async () => (await codeOf(called.handleRequest("echo", "x"))) === "overloaded", {
      what: "the place is taken",
    });
    expect(await slow).toBe("deadline-exceeded");
    expect(await codeOf(plugin(denied).handleRequest("echo", "x"))).toBe("denied");
    expect(await codeOf(plugin(denied).accessLevels())).toBe("denied");
  });

  test("gives each call to one replica of the group, and answers what it has in a drain", async () => {
    const name = uniqueName("shared");
    const file = consumer({ [name]: COMPONENTS.gauntlet("none") });
    await using first = await startReplica({ consumer: file, policies: {}, replicaId: "first" });
    await using second = await startReplica({ consumer: file, policies: {}, replicaId: "second" });
    const ids = Array.from({ length: 200 }, (_, at) => `c-${at}`);
    const echoes = await Promise.all(ids.map(async (id) => plugin(name).handleRequest("id", "", { id })));
    expect(echoes.map((reply) => reply.text())).toEqual(ids);
    const handled = (): string[] =>
      [first, second].flatMap(({ records }) =>
        records.filter(({ msg }) => msg === "request").map(({ id }) => String(id)),
      );
    await until(() => Promise.resolve(handled().length >= ids.length), { what: "every call is recorded" });
    expect(handled().sort()).toEqual([...ids].sort());
    expect([first, second].every(({ records }) => records.some(({ msg }) => msg === "request"))).toBe(true);

    await second.stop();
    const slow = Array.from({ length: 4 }, async () => plugin(name).handleRequest("sleep", "1500"));
    const half = Caller.listen();
    half.begin(name, MIB / 2);
    await half.accepted();
    await until(async () => (await codeOf(plugin(name).handleRequest("echo", "x"))) === "answered", {
      what: "it is served",
    });
    const stopped = first.stop();
    const [refused, replies] = await Promise.all([half.result(), Promise.all(slow)]);
    expect(refused).toMatch(/^draining: /);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await stopped).code).toBe(0);
    expect(await codeOf(plugin(name).handleRequest("echo", "x"))).toBe("no-responders");
  });

  test("keeps nothing of parameters that never end, and serves on", async () => {
    const name = uniqueName("endless");
    const limits = { payloadBytes: 4 * MIB, deadlineMs: 8_000 };
    await using replica = await startReplica({
      consumer: consumer({ [name]: COMPONENTS.gauntlet("none") }, limits),
      policies: {},
    });
    const callers = Array.from({ length: 70 }, () => Caller.listen());
    for (const caller of callers) caller.begin(name, 3 * MIB);
    const results = await Promise.all(callers.map(async (caller) => caller.result()));
    const refused = results.filter((text) => text.startsWith("overloaded: ")).length;
    const late = results.filter((text) => text.startsWith("deadline-exceeded: ")).length;
    expect([refused + late, refused > 0, late > 0]).toEqual([70, true, true]);
    expect((await plugin(name).handleRequest("echo", "x")).text()).toBe("x");
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    expect(metrics).toMatch(/network_host_wrpc_parameter_bytes 0\b/);
  });

  test("without the right to publish on inboxes says that replies are refused", async () => {
    const name = uniqueName("mute");
    await using server = await startConfiguredNatsServer(`authorization { users: [
      { user: replica, password: p, permissions: {
        subscribe: { allow: ["rpc.>", "$SRV.>", "_INBOX.>", "${PREFIX}.>"] }, publish: { deny: ["_INBOX.>"] } } }
      { user: caller, password: p } ] }`);
    const url = server.url.replace("nats://", "nats://replica:p@");
    await using replica = await startReplica({
      consumer: consumer({ [name]: COMPONENTS.echo }),
      policies: {},
      natsUrl: url,
    });
    const connection = await connect({ servers: server.url, user: "caller", pass: "p" });
    const called = wrpcOverNats(connection, { prefix: PREFIX, plugin: name, timeoutMs: 500 });
    await until(
      async () => {
        await codeOf(called.handleRequest("", "x"));
        return !(await replica.isReady());
      },
      { what: "the replica is not ready" },
    );
    expect(replica.records.map(({ msg }) => msg)).toContain(
      "the NATS server refuses replies; may this account publish on inboxes?",
    );
    await connection.close();
  });
});

/** A caller that sends what a test says. */
class Caller {
  readonly #inbox = createInbox();
  readonly #accepted = Promise.withResolvers<string>();
  readonly #result = Promise.withResolvers<string>();
  readonly #chunks: Uint8Array[] = [];

  static listen(): Caller {
    const caller = new Caller();
    nats.subscribe(`${caller.#inbox}.>`, { callback: (_error, message) => caller.#take(message) });
    nats.subscribe(caller.#inbox, { callback: (_error, { reply }) => caller.#accepted.resolve(reply ?? "") });
    return caller;
  }

  /** Sends the first bytes of a request whose payload has so many. */
  begin(name: string, payloadBytes: number): void {
    const all = Buffer.concat(
      encodeValue(HANDLE_REQUEST.parameters, [{ id: "1", method: "echo", payload: new Uint8Array(payloadBytes) }]),
    );
    nats.publish(subjectOf(name), all.subarray(0, 1_000), { reply: this.#inbox });
  }

  /** Where the rest of the parameters goes. */
  async accepted(): Promise<string> {
    return this.#accepted.promise;
  }

  /** The text of the error that it gets. */
  async result(): Promise<string> {
    return this.#result.promise;
  }

  #take({ data }: Msg): void {
    if (data.length > 0) this.#chunks.push(data);
    else
      this.#result.resolve(
        Buffer.concat(this.#chunks)
          .subarray(2)
          .toString()
          .replace(/^[^a-z]*/, ""),
      );
  }
}
