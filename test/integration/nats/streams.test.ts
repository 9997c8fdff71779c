import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, headers, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCapturingStreams } from "../../../src/nats/capturing-streams.ts";
import { COMPONENTS, consumerFile, policyFiles, uniqueName } from "../../harness/plugins.ts";
import { startReplica } from "../../harness/replica.ts";
import { type ConfiguredNatsServer, startConfiguredNatsServer } from "../../harness/server.ts";
import { run } from "../../unit/cli/run.ts";

describe("a JetStream stream over the subjects of requests", () => {
  const folder = join(tmpdir(), uniqueName("jetstream"));
  let server: ConfiguredNatsServer;
  let admin: NatsConnection;

  beforeAll(async () => {
    server = await startConfiguredNatsServer(`
      jetstream { store_dir: "${folder}" }
      authorization {
        users = [
          { user: admin, password: admin }
          { user: narrow, password: narrow, permissions: { publish: [ "rpc.>", "_INBOX.>" ], subscribe: [ ">" ] } }
        ]
      }
      no_auth_user: admin
    `);
    admin = await connect({ servers: server.url });
    await createStream("REQUESTS", ["rpc.>"]);
    await createStream("EVENTS", ["events.>"]);
    await createStream("SILENT", ["silent.>"], true);
  });

  afterAll(async () => {
    await admin.close();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function createStream(name: string, subjects: readonly string[], noAck = false): Promise<void> {
    const config = { name, subjects, storage: "memory", no_ack: noAck };
    const answer = await admin.request(`$JS.API.STREAM.CREATE.${name}`, JSON.stringify(config));
    const { error } = answer.json<{ error?: { description: string } }>();
    if (error !== undefined) throw new Error(error.description);
  }

  test("does not keep call from the reply, and is named", async () => {
    const head = headers();
    head.set("Rpc-Status", "200");
    admin.subscribe("rpc.slow", {
      callback: (_error, message) => void setTimeout(() => message.respond("the reply", { headers: head }), 200),
    });
    await admin.flush();
    const text = await run(["call", "slow", "--nats", server.url]);
    expect([text.code, text.stdout]).toEqual([0, "the reply"]);
    expect(text.stderr).toContain('warning: the JetStream stream "REQUESTS" takes rpc.slow and answers each request');
    const json = await run(["call", "slow", "--json", "--nats", server.url]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      body: "the reply",
      warnings: [expect.stringContaining('"REQUESTS"')],
    });
  });

  test("is what is named where nobody else answers", async () => {
    const { code, stderr } = await run(["call", "nobody", "--timeout", "100ms", "--nats", server.url]);
    expect(code).toBe(3);
    expect(stderr).toContain(
      'no replica is found that serves rpc.nobody; only the JetStream stream "REQUESTS" answered, with its acknowledgement',
    );
  });

  test("is found where its subjects overlap with those of plugins, and it acknowledges", async () => {
    const options = { servers: [server.url], credentials: { kind: "none" } } as const;
    const found = await findCapturingStreams(options, "test", ["rpc.echo", "silent.a"]);
    expect(found).toEqual([{ name: "REQUESTS", subjects: ["rpc.>"] }]);
    expect(await findCapturingStreams(options, "test", ["events"])).toEqual([]);
  });

  test("is warned of by a replica that may look, and costs one nothing that may not", async () => {
    const plugin = uniqueName("captured");
    const options = {
      consumer: consumerFile({ group: "streams", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }),
      policies: policyFiles({ [plugin]: {} }),
    };
    await using replica = await startReplica({ ...options, natsUrl: server.url });
    expect(await replica.logged(({ stream }) => stream !== undefined)).toMatchObject({
      level: "warn",
      stream: "REQUESTS",
      subjects: ["rpc.>"],
    });
    const narrow = new URL(server.url);
    Object.assign(narrow, { username: "narrow", password: "narrow" });
    await using other = await startReplica({
      ...options,
      natsUrl: narrow.href,
      args: ["--log-level", "debug"],
    });
    await other.logged(({ msg }) => msg === "it is not known whether a JetStream stream captures requests");
    expect(await other.isReady()).toBe(true);
    const metrics = await (await fetch(`${other.healthUrl}/metrics`)).text();
    expect(metrics).not.toMatch(/^network_host_nats_[a-z_]*refus[a-z_]*\{[^}]*publish[^}]*\} [1-9]/m);
  });
});
