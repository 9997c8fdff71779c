/** The least permissions of docs/operations.md: they are enough, and they are the least. */

import { readFile } from "node:fs/promises";
import { connect, type NatsConnection } from "nats";
import { expect, test } from "vitest";
import { FIXED_LIMITS, PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import { COMPONENTS, consumerFile, uniqueName } from "../../harness/plugins.ts";
import { startReplica } from "../../harness/replica.ts";
import { request } from "../../harness/request.ts";
import { startConfiguredNatsServer } from "../../harness/server.ts";
import { run } from "../../unit/cli/run.ts";

/** The one configuration that the page shows. */
async function configuration(): Promise<string> {
  const page = await readFile(new URL("../../../docs/operations.md", import.meta.url), "utf8");
  const [block, ...others] = [...page.matchAll(/^```conf\n(.*?)^```$/gms)].map(([, text]) => text);
  if (block === undefined || others.length > 0) throw new Error("docs/operations.md has not one configuration");
  return block;
}

function urlOf(server: string, user: string): string {
  return server.replace("//", `//${user}:change-me-${user}@`);
}

function open(server: string, user: string): Promise<NatsConnection> {
  return connect({ servers: server, user, pass: `change-me-${user}` });
}

/** What the server refuses of this. */
async function refusalOf(connection: NatsConnection, act: () => void): Promise<string> {
  const refusal = Promise.withResolvers<string>();
  void (async () => {
    for await (const status of connection.status()) if (status.type === "error") refusal.resolve(status.error.message);
  })();
  act();
  await connection.flush();
  return await refusal.promise;
}

test("the least permissions let a replica serve and be found, a caller call, and an observer look", async () => {
  await using server = await startConfiguredNatsServer(await configuration());
  const further = [uniqueName("further"), uniqueName("further")];
  const plugins = Object.fromEntries(["echo", ...further].map((name) => [name, COMPONENTS.echo]));
  await using replica = await startReplica({
    consumer: consumerFile({ group: "default", plugins }),
    policies: {},
    natsUrl: urlOf(server.url, "replica"),
  });
  const readiness = (await (await fetch(`${replica.healthUrl}/readyz`)).json()) as Record<string, unknown>;
  expect(readiness).toMatchObject({ ready: true, checks: { subscriptions: { ready: true } } });
  expect(JSON.stringify(readiness)).not.toContain("degraded");

  const caller = await open(server.url, "caller");
  expect((await request(caller, "rpc.echo", "x")).text).toBe("x");
  expect((await request(caller, "rpc.echo.method", "x")).text).toBe("x");
  expect((await run(["call", "echo", "", "x"], { env: { NATS_URL: urlOf(server.url, "caller") } })).stdout).toBe("x");

  const observer = await open(server.url, "observer");
  const answers = await observer.requestMany("$SRV.PING", "", { strategy: "count", maxMessages: 3, maxWait: 30_000 });
  const names = (await Array.fromAsync(answers)).map((answer) => answer.json<{ name: string }>().name);
  expect(names.sort()).toEqual(["echo", ...further].sort());
  const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
  expect(metrics).not.toMatch(/network_host_nats_permission_errors_total\{[^}]*\} [1-9]/);
  await caller.close();
  await observer.close();
});

test("the least permissions last as long as any deadline, and are for as many plugins as a replica can have", async () => {
  const page = await configuration();
  const [, max = "", minutes = ""] = /allow_responses: \{ max: (\d+), expires: "(\d+)m" \}/.exec(page) ?? [];
  expect(Number(max)).toBeGreaterThan(FIXED_LIMITS.consumerPlugins);
  expect(Number(minutes) * 60_000).toBeGreaterThan(PLUGIN_LIMITS.deadlineMs.max);
});

test.each<[user: string, what: string, act: (connection: NatsConnection) => void]>([
  ["caller", "rpc.other", (connection) => connection.publish("rpc.other")],
  ["caller", "$SRV.STATS", (connection) => connection.publish("$SRV.STATS")],
  ["caller", "rpc.echo", (connection) => connection.subscribe("rpc.echo", { queue: "default" })],
  ["observer", "rpc.echo", (connection) => connection.publish("rpc.echo")],
  ["replica", "rpc.echo", (connection) => connection.publish("rpc.echo")],
  ["replica", "_INBOX.x", (connection) => connection.publish("_INBOX.x")],
  ["replica", "rpc.echo", (connection) => connection.subscribe("rpc.echo")],
  ["replica", "rpc.echo", (connection) => connection.subscribe("rpc.echo", { queue: "other" })],
  ["replica", "_INBOX.x", (connection) => connection.subscribe("_INBOX.x")],
])("the least permissions refuse a %s %s where it needs none", async (user, subject, act) => {
  await using server = await startConfiguredNatsServer(await configuration());
  const connection = await open(server.url, user);
  expect(await refusalOf(connection, () => act(connection))).toContain(`"${subject}"`);
  await connection.close();
});
