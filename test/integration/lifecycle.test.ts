import { copyFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { runnerOf } from "../harness/processes.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type Reply, request } from "../harness/request.ts";
import { startMongod, startNatsServer } from "../harness/server.ts";
import { until } from "../../scripts/lib/until.ts";

describe("the life of a replica", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  describe("stopping", () => {
    test("SIGTERM under load answers every accepted request and exits with 0", async () => {
      const plugin = uniqueName("drain");
      await using replica = await startReplica({
        consumer: consumerFile({ group: "drain", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }),
        policies: {},
      });
      const outcomes: Promise<string>[] = [];
      const send = (): void => {
        const outcome = request(nats, `rpc.${plugin}.sleep`, "100").then(
          (reply) => String(reply.status ?? reply.error),
          (error: Error) => error.name,
        );
        outcomes.push(outcome);
      };
      for (let i = 0; i < 50; i++) send();
      // The server has passed all of them on.
      await nats.flush();
      await replica.logged(({ msg }) => msg === "request");
      const stopped = replica.stop();
      // Sent while it drains: taken, or refused by the server since nobody listens any more; never lost.
      for (let i = 0; i < 50; i++) send();
      expect((await stopped).code).toBe(0);
      const seen = new Set(await Promise.all(outcomes));
      expect([...seen].filter((outcome) => outcome !== "200" && outcome !== "RequestError")).toEqual([]);
      expect((await Promise.all(outcomes.slice(0, 50))).every((outcome) => outcome === "200")).toBe(true);
    });

    test("when the grace is over the rest is answered with draining, and the exit code says so", async () => {
      const plugin = uniqueName("grace");
      await using replica = await startReplica({
        consumer: consumerFile({
          group: "grace",
          plugins: { [plugin]: COMPONENTS.gauntlet("none") },
          limits: { deadlineMs: 60_000 },
          replica: { drainMs: 300 },
        }),
        policies: {},
      });
      const pending = request(nats, `rpc.${plugin}.sleep`, "50000");
      await until(async () => (await inFlight(replica, plugin)) === 1, { what: "the request is running" });
      const exit = await replica.stop();
      expect((await pending).headers).toMatchObject({ "Rpc-Error": "draining", "Rpc-Retryable": "true" });
      expect(exit.code).not.toBe(0);
      expect(exit.code).not.toBeNull();
    });

    test("a replica that waits for NATS stops at once", async () => {
      await using replica = await startReplica({
        consumer: consumerFile({ group: "waiting", plugins: { [uniqueName("w")]: COMPONENTS.echo } }),
        policies: {},
        natsUrl: "nats://127.0.0.1:1",
        waitFor: "process",
      });
      await replica.logged(({ msg }) => msg === "waiting for NATS");
      expect(await replica.isReady()).toBe(false);
      expect((await replica.stop()).code).toBe(0);
    });
  });

  describe("reloading", () => {
    test("a new component is applied under load without losing a request", async () => {
      const plugin = uniqueName("swap");
      await using replica = await startReplica({
        consumer: consumerFile({ group: "swap", plugins: { [plugin]: "plugin.wasm" } }),
        policies: policyFiles({ [plugin]: READ_WRITE }),
        files: { "plugin.wasm": COMPONENTS.gauntlet("none") },
      });
      const load = keepAsking(plugin);
      await replaceFile(COMPONENTS.gauntlet("read-write"), join(replica.folder, "plugin.wasm"));
      const loaded = await replica.logged(
        ({ msg, requested }) => msg === "plugin loaded" && Array.isArray(requested) && requested.length === 2,
      );
      const replies = await load.stop();
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
      await request(nats, `rpc.${plugin}.echo`, "", { "Rpc-Id": "after" });
      const record = await replica.logged(({ id }) => id === "after");
      expect(record["digest"]).toBe(loaded["digest"]);
    });

    test("a broken new version leaves the old one serving and the log says why", async () => {
      const plugin = uniqueName("broken");
      await using replica = await startReplica({
        consumer: consumerFile({ group: "broken", plugins: { [plugin]: "plugin.wasm" } }),
        policies: {},
        files: { "plugin.wasm": COMPONENTS.gauntlet("none") },
      });
      const load = keepAsking(plugin);
      await writeFile(join(replica.folder, "plugin.wasm"), "this is not a component");
      const record = await replica.logged(({ msg }) => String(msg).startsWith("the new version is refused"));
      expect(record["err"]).toMatchObject({ code: "component-rejected" });
      const replies = await load.stop();
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    });

    test("a new version that requests more than is allowed leaves the old one serving", async () => {
      const plugin = uniqueName("wider");
      await using replica = await startReplica({
        consumer: consumerFile({ group: "wider", plugins: { [plugin]: "plugin.wasm" } }),
        policies: {},
        files: { "plugin.wasm": COMPONENTS.gauntlet("none") },
      });
      await replaceFile(COMPONENTS.gauntlet("all"), join(replica.folder, "plugin.wasm"));
      const record = await replica.logged(({ msg }) => String(msg).startsWith("the new version is refused"));
      expect(record["err"]).toMatchObject({ code: "denied" });
      expect((await request(nats, `rpc.${plugin}.echo`, "x")).text).toBe("x");
    });

    test("a policy that is narrowed ends the service, and one that is widened again brings it back", async () => {
      const plugin = uniqueName("policy");
      await using replica = await startReplica({
        consumer: consumerFile({ group: "policy", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
        policies: policyFiles({ [plugin]: READ_WRITE }),
      });
      const ask = (): Promise<Reply> => request(nats, `rpc.${plugin}.echo`, "x");
      expect((await ask()).status).toBe(200);
      await replica.writePolicy(`${plugin}.yaml`, `plugin: ${plugin}\nallow: [key-value-read]\n`);
      await until(async () => (await ask()).error === "denied", { what: "the plugin is denied" });
      await replica.writePolicy(`${plugin}.yaml`, `plugin: ${plugin}\nallow: [key-value-read, key-value-write]\n`);
      await until(async () => (await ask()).status === 200, { what: "the plugin is served again" });
    });

    test("a policy file that cannot be read changes nothing, and the log names file and line", async () => {
      const plugin = uniqueName("typo");
      await using replica = await startReplica({
        consumer: consumerFile({ group: "typo", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
        policies: policyFiles({ [plugin]: READ_WRITE }),
      });
      await replica.writePolicy(`${plugin}.yaml`, `plugin: ${plugin}\nalow: []\n`);
      const record = await replica.logged(({ msg }) => String(msg).startsWith("the configuration is invalid"));
      expect(JSON.stringify(record["err"])).toMatch(new RegExp(`${plugin}\\.yaml:2:1: .*alow.*allow`));
      expect((await request(nats, `rpc.${plugin}.echo`, "x")).status).toBe(200);
    });

    test("a plugin that is added to the consumer file is served, one that is removed is not", async () => {
      const [first, second] = [uniqueName("first"), uniqueName("second")];
      await using replica = await startReplica({
        consumer: consumerFile({ group: "grow", plugins: { [first]: COMPONENTS.echo } }),
        policies: {},
      });
      await replica.writeConsumer(consumerFile({ group: "grow", plugins: { [second]: COMPONENTS.echo } }));
      await replica.logged(({ msg, plugin }) => msg === "plugin subscribed" && plugin === second);
      expect((await request(nats, `rpc.${second}`, "x")).text).toBe("x");
      await replica.logged(({ msg, plugin }) => msg === "plugin removed" && plugin === first);
      await expect(request(nats, `rpc.${first}`, "x")).rejects.toThrow(/no responders/i);
    });
  });

  describe("faults", () => {
    test("a runner that is killed costs its own requests, which are answered at once, and comes back", async () => {
      const [victim, neighbour] = [uniqueName("victim"), uniqueName("neighbour")];
      await using replica = await startReplica({
        consumer: consumerFile({
          group: "runner",
          plugins: { [victim]: COMPONENTS.gauntlet("read-write"), [neighbour]: COMPONENTS.gauntlet("none") },
          limits: { deadlineMs: 30_000 },
        }),
        policies: policyFiles({ [victim]: READ_WRITE }),
      });
      const waiting = request(nats, `rpc.${victim}.sleep`, "20000");
      await until(async () => (await inFlight(replica, victim)) === 1, { what: "the request is running" });
      process.kill(await runnerOf(replica, victim), "SIGKILL");
      expect((await waiting).headers).toMatchObject({ "Rpc-Error": "runner-lost", "Rpc-Retryable": "true" });
      expect((await request(nats, `rpc.${neighbour}.echo`, "x")).text).toBe("x");
      await until(async () => (await request(nats, `rpc.${victim}.echo`, "x")).status === 200, { what: "it is back" });
      await replica.logged(({ msg }) => msg === "the plugin's runner was restarted");
    });

    test("NATS restarts: the replica is not ready meanwhile and serves again afterwards", async () => {
      const plugin = uniqueName("natsdown");
      await using server = await startNatsServer();
      await using replica = await startReplica({
        consumer: consumerFile({ group: "natsdown", plugins: { [plugin]: COMPONENTS.echo } }),
        policies: {},
        natsUrl: server.url,
      });
      await server.kill();
      await until(async () => !(await replica.isReady()), { what: "the replica is not ready" });
      await server.restart();
      await until(() => replica.isReady(), { what: "the replica is ready again" });
      const client = await connect({ servers: server.url });
      try {
        expect((await request(client, `rpc.${plugin}`, "back")).text).toBe("back");
      } finally {
        await client.close();
      }
      expect((await replica.stop()).code).toBe(0);
    });

    test("NATS comes up after the replica: it waits, then serves", async () => {
      const plugin = uniqueName("late");
      await using server = await startNatsServer();
      await server.kill();
      await using replica = await startReplica({
        consumer: consumerFile({ group: "late", plugins: { [plugin]: COMPONENTS.echo } }),
        policies: {},
        natsUrl: server.url,
        waitFor: "process",
      });
      await replica.logged(({ msg }) => msg === "waiting for NATS");
      await server.restart();
      await until(() => replica.isReady(), { what: "the replica is ready" });
    });

    test("MongoDB down: an error before the deadline, plugins without it unaffected, and back when it is back", async () => {
      const [keyValue, plain] = [uniqueName("kv"), uniqueName("plain")];
      await using server = await startMongod();
      await using _replica = await startReplica({
        consumer: consumerFile({
          group: "mongodown",
          plugins: { [keyValue]: COMPONENTS.gauntlet("read-write"), [plain]: COMPONENTS.echo },
          limits: { deadlineMs: 12_000 },
        }),
        policies: policyFiles({ [keyValue]: READ_WRITE }),
        mongodbUrl: server.url,
      });
      const set = (): Promise<Reply> => request(nats, `rpc.${keyValue}.set`, "user-data\nk\nv");
      expect((await set()).status).toBe(200);
      await server.kill();
      const reply = await set();
      expect(reply.error).toBe("plugin-error");
      expect(reply.text).toMatch(/^store-(unavailable|outcome-unknown): /);
      expect(reply.text).not.toContain("127.0.0.1");
      expect((await request(nats, `rpc.${plain}`, "x")).text).toBe("x");
      await server.restart();
      await until(async () => (await set()).status === 200, { what: "values are written again" });
    });
  });

  /** Asks a plugin over and over until it is stopped; gives all replies. */
  function keepAsking(plugin: string): { stop(): Promise<Reply[]> } {
    let state: "asking" | "stopping" = "asking";
    const replies: Reply[] = [];
    const ask = async (): Promise<void> => {
      do replies.push(await request(nats, `rpc.${plugin}.echo`, "x"));
      while (state === "asking");
    };
    const asking = Promise.all([ask(), ask(), ask(), ask()]);
    return {
      async stop() {
        state = "stopping";
        await asking;
        return replies;
      },
    };
  }
});

/** As a deployment does: written beside it, then renamed over it. */
async function replaceFile(source: string, target: string): Promise<void> {
  await copyFile(source, `${target}.new`);
  await rename(`${target}.new`, target);
}

async function inFlight(replica: Replica, plugin: string): Promise<number> {
  const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
  const line = metrics.split("\n").find((text) => text.startsWith(`network_host_in_flight{plugin="${plugin}"}`));
  return Number(line?.split(" ").at(-1) ?? 0);
}
