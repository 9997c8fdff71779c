import { connect, type NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../../harness/plugins.ts";
import { freeze, runnerOf } from "../../harness/processes.ts";
import { type Replica, startReplica } from "../../harness/replica.ts";
import { request } from "../../harness/request.ts";
import { startConfiguredNatsServer, startNatsServer } from "../../harness/server.ts";
import { until } from "../../../scripts/lib/until.ts";

interface Checks {
  readonly nats: { readonly ready: boolean; readonly reason?: string };
  readonly subscriptions: { readonly ready: boolean; readonly reason?: string; readonly degraded?: string };
}

async function readiness(replica: Replica): Promise<{ readonly status: number; readonly checks: Checks }> {
  const response = await fetch(`${replica.healthUrl}/readyz`);
  const { checks } = (await response.json()) as { checks: Checks };
  return { status: response.status, checks };
}

/** The metrics of a plugin, or of the replica, that are not 0: `name{labels}` → value. */
async function metrics(replica: Replica, name: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${replica.healthUrl}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(name));
  const values = lines.map(
    (line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))] as const,
  );
  return Object.fromEntries(values.filter(([, value]) => value !== 0));
}

/** A client of the server with this URL, which comes back soon after a loss. */
async function caller(url: string, user?: string): Promise<NatsConnection> {
  return await connect({
    servers: url,
    reconnectTimeWait: 20,
    maxReconnectAttempts: -1,
    ...(user !== undefined && { user, pass: "p" }),
  });
}

function withUser(url: string): string {
  return url.replace("nats://", "nats://replica:p@");
}

/** From the signal to the end, by the replica's own log. */
function stopTookMs({ records }: Replica): number {
  const timeOf = (text: string): number => Date.parse(String(records.find(({ msg }) => msg === text)?.["time"]));
  return timeOf("stopped") - timeOf("draining");
}

/** Has the one process of a plugin stall: what it is asked from now on is answered once it is told to go on. */
async function freezeRunner(replica: Replica, plugin: string): Promise<() => void> {
  const pid = await runnerOf(replica, plugin);
  expect(await freeze(pid)).toBe(true);
  return () => void process.kill(pid, "SIGCONT");
}

/** The account of a replica, with these permissions. */
function account(permissions: object = {}): string {
  return `authorization: {users: [{user: replica, password: p, permissions: ${JSON.stringify(permissions)}}, {user: caller, password: p}]}`;
}

describe("a replica whose rights on the NATS server change", () => {
  test("names the subjects that it may not listen on, and serves them when it may", async () => {
    const [open, closed] = [uniqueName("open"), uniqueName("closed")];
    await using server = await startConfiguredNatsServer(account({ subscribe: { deny: [`rpc.${closed}`, "$SRV.>"] } }));
    await using replica = await startReplica({
      consumer: consumerFile({ group: "rights", plugins: { [open]: COMPONENTS.echo, [closed]: COMPONENTS.echo } }),
      policies: {},
      natsUrl: withUser(server.url),
      waitFor: "process",
    });
    const nats = await caller(server.url, "caller");
    const refused = await replica.logged((record) => JSON.stringify(record).includes(`rpc.${closed} (`));
    expect(refused).toMatchObject({ level: "error", subjects: [`rpc.${closed} (no permission)`], count: 1 });
    await until(async () => (await readiness(replica)).checks.subscriptions.reason?.includes("not held") === true, {
      what: "the subject is named",
    });
    const { status, checks } = await readiness(replica);
    expect(status).toBe(503);
    expect(checks.subscriptions.reason).toContain(`rpc.${closed} (no permission)`);
    expect(checks.subscriptions.reason).not.toContain(`rpc.${open}`);
    await replica.logged(({ msg, plugin }) => msg === "plugin subscribed" && plugin === open);
    expect((await request(nats, `rpc.${open}`, "x")).text).toBe("x");
    await expect(request(nats, `rpc.${closed}`, "x")).rejects.toThrow(/no responders/i);
    expect(replica.records.filter(({ msg }) => msg === "ready")).toEqual([]);

    await server.reload(account({ subscribe: { deny: ["$SRV.>"] } }));
    await replica.logged(({ msg }) => msg === "ready");
    expect((await request(nats, `rpc.${closed}`, "x")).text).toBe("x");
    // Without discovery a replica is of use.
    const degraded = await readiness(replica);
    expect([degraded.status, degraded.checks.subscriptions.degraded]).toEqual([
      200,
      expect.stringContaining("$SRV.PING"),
    ]);

    await server.reload(account({ subscribe: { deny: [`rpc.${open}`] } }));
    await until(async () => (await readiness(replica)).status === 503, { what: "the end is noticed" });
    await server.reload(account());
    await until(async () => (await readiness(replica)).status === 200, { what: "the right is back" });
    expect((await request(nats, `rpc.${open}`, "x")).text).toBe("x");
    const isDiscoverable = () =>
      nats.request("$SRV.PING", "").then(
        () => true,
        () => false,
      );
    await until(isDiscoverable, { what: "it is discoverable" });
    // Each change is one line, however often it was tried.
    expect(
      replica.records.filter(({ msg }) => String(msg).startsWith("the NATS server refuses subscriptions")).length,
    ).toBeLessThanOrEqual(3);
    const held = { 'network_host_nats_subscriptions{state="held"}': 2 * 2 + 9 };
    await expect.poll(() => metrics(replica, "network_host_nats_subscriptions")).toEqual(held);
    await nats.close();
  });

  test("counts the replies that it may not publish, and is not ready, until it may again", async () => {
    const plugin = uniqueName("mute");
    await using server = await startConfiguredNatsServer(account());
    await using replica = await startReplica({
      consumer: consumerFile({ group: "mute", plugins: { [plugin]: COMPONENTS.echo } }),
      policies: {},
      natsUrl: withUser(server.url),
    });
    const nats = await caller(server.url, "caller");
    expect((await request(nats, `rpc.${plugin}`, "x")).text).toBe("x");
    await server.reload(account({ publish: { deny: ["_INBOX.>"] } }));
    const ask = (timeoutMs: number) =>
      request(nats, `rpc.${plugin}`, "x", {}, timeoutMs).then(
        () => "replied",
        () => "lost",
      );
    const dropped = `network_host_dropped_messages_total{plugin="${plugin}",reason="reply-refused"}`;
    const refused = async (): Promise<number> => (await metrics(replica, dropped))[dropped] ?? 0;
    await until(
      async () => {
        let hasReplied = false;
        void request(nats, `rpc.${plugin}`, "x").then(
          () => (hasReplied = true),
          () => undefined,
        );
        await until(async () => hasReplied || (await refused()) === 1, { what: "the reply is sent or refused" });
        return !hasReplied;
      },
      { what: "the right is gone" },
    );
    const lost = await Promise.all(Array.from({ length: 99 }, () => ask(1_000)));
    expect(lost).toEqual(Array.from({ length: 99 }, () => "lost"));
    await until(async () => (await refused()) === 100, { what: "all are counted" });
    await until(async () => (await readiness(replica)).status === 503, { what: "it is not ready" });
    expect((await readiness(replica)).checks.nats.reason).toContain("replies are refused: Permissions Violation");
    await replica.logged(({ msg, plugin: name }) => msg === "the NATS server refused a reply" && name === plugin);

    await server.reload(account());
    await until(async () => (await ask(200)) === "replied", { what: "the right is back" });
    await until(() => replica.isReady(), { what: "it is ready" });
    await nats.close();
  });

  test("answers with reply-too-large what the server ceased to take, after one reply is lost to that, which is counted", async () => {
    const plugin = uniqueName("large");
    await using server = await startConfiguredNatsServer("max_payload: 100000");
    await using replica = await startReplica({
      consumer: consumerFile({ group: "large", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }),
      policies: {},
      natsUrl: server.url,
    });
    const nats = await caller(server.url);
    const ask = () => request(nats, `rpc.${plugin}.big-reply`, "50000", {}, 5_000);
    expect((await ask()).data).toHaveLength(50_000);
    await server.reload("max_payload: 10000");
    // It says nothing when it has read that: until then, replies arrive.
    await until(
      () =>
        ask().then(
          () => false,
          () => true,
        ),
      { what: "a reply is lost" },
    );
    await replica.logged(({ msg }) => msg === "the connection to NATS is back");
    await until(() => replica.isReady(), { what: "it is connected again" });
    expect((await ask()).error).toBe("reply-too-large");
    expect(await metrics(replica, "network_host_dropped_messages_total")).toEqual({
      [`network_host_dropped_messages_total{plugin="${plugin}",reason="reply-refused"}`]: 1,
    });
    await nats.close();
  });
});

describe("a replica whose connection is down for a moment", () => {
  test("sends the replies that were due meanwhile, and counts them as answered", async () => {
    const plugin = uniqueName("held");
    await using server = await startNatsServer();
    await using replica = await startReplica({
      consumer: consumerFile({
        group: "held",
        plugins: { [plugin]: COMPONENTS.gauntlet("none") },
        limits: { runners: 1 },
      }),
      policies: {},
      natsUrl: server.url,
    });
    const nats = await caller(server.url);
    const replies = new Map<string, string | undefined>();
    nats.subscribe("answers.*", {
      callback: (_error, message) => {
        replies.set(message.subject, message.headers?.get("Rpc-Status"));
      },
    });
    const goOn = await freezeRunner(replica, plugin);
    for (let i = 0; i < 5; i++) nats.publish(`rpc.${plugin}.echo`, "x", { reply: `answers.${i}` });
    await until(
      async () =>
        (await metrics(replica, "network_host_in_flight"))[`network_host_in_flight{plugin="${plugin}"}`] === 5,
      {
        what: "they are running",
      },
    );
    await server.kill();
    goOn();
    await until(
      async () => (await metrics(replica, "network_host_nats_held_replies"))["network_host_nats_held_replies"] === 5,
      {
        what: "all replies wait",
      },
    );
    expect(replica.records.filter(({ msg }) => msg === "request")).toEqual([]);
    expect((await readiness(replica)).checks.nats).toEqual({ ready: false, reason: "not connected" });
    await server.restart();
    // The caller comes back sooner or later than the replica: what is counted here is what was sent.
    await until(
      async () =>
        (await metrics(replica, "network_host_nats_held_replies"))["network_host_nats_held_replies"] === undefined,
      {
        what: "they are sent",
      },
    );
    const outcome = `network_host_requests_total{plugin="${plugin}",outcome="ok"}`;
    expect(await metrics(replica, "network_host_requests_total")).toEqual({ [outcome]: 5 });
    expect(await metrics(replica, "network_host_dropped")).toEqual({});
    await until(() => replica.records.filter(({ msg }) => msg === "request").length === 5, {
      what: "they are recorded",
    });
    await nats.close();
  });

  test("gives up what nobody waits for any more: a dropped message with its reason, and no request that went well", async () => {
    const plugin = uniqueName("expired");
    await using server = await startNatsServer();
    await using replica = await startReplica({
      consumer: consumerFile({ group: "expired", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }),
      policies: {},
      natsUrl: server.url,
    });
    const nats = await caller(server.url);
    const goOn = await freezeRunner(replica, plugin);
    const headers = { "Rpc-Timeout-Ms": "6000", "Rpc-Id": "late" };
    const lost = request(nats, `rpc.${plugin}.echo`, "x", headers, 6_000).catch(() => "lost");
    await until(async () => Object.keys(await metrics(replica, "network_host_in_flight")).length === 1, {
      what: "it is running",
    });
    await server.kill();
    goOn();
    const record = await replica.logged(({ id }) => id === "late");
    expect(record).toMatchObject({ dropped: "reply-expired", level: "warn" });
    expect(record).not.toHaveProperty("status");
    expect(await metrics(replica, "network_host_requests_total")).toEqual({});
    expect(await metrics(replica, "network_host_dropped")).toEqual({
      [`network_host_dropped_messages_total{plugin="${plugin}",reason="reply-expired"}`]: 1,
    });
    expect(await lost).toBe("lost");
    await nats.close();
  });

  test("is stopped meanwhile: it waits with its replies for as long as its grace, and says what it gave up", async () => {
    const plugin = uniqueName("stopped");
    await using server = await startNatsServer();
    await using replica = await startReplica({
      consumer: consumerFile({
        group: "stopped",
        plugins: { [plugin]: COMPONENTS.gauntlet("none") },
        replica: { drainMs: 2_000 },
      }),
      policies: {},
      natsUrl: server.url,
    });
    const nats = await caller(server.url);
    const goOn = await freezeRunner(replica, plugin);
    nats.publish(`rpc.${plugin}.echo`, "x", { reply: "answers.1" });
    await until(async () => Object.keys(await metrics(replica, "network_host_in_flight")).length === 1, {
      what: "it is running",
    });
    await server.kill();
    goOn();
    await until(async () => Object.keys(await metrics(replica, "network_host_nats_held_replies")).length === 1, {
      what: "its reply waits",
    });
    expect((await replica.stop()).code).toBe(3);
    expect(replica.records.find(({ msg }) => msg === "request")).toMatchObject({ dropped: "connection-closed" });
    await nats.close();
  });
});

describe("a NATS server that hangs", () => {
  test("is noticed, and keeps no stop waiting", async () => {
    const plugin = uniqueName("hung");
    await using server = await startNatsServer();
    await using replica = await startReplica({
      consumer: consumerFile({
        group: "hung",
        plugins: { [plugin]: COMPONENTS.echo },
        replica: { drainMs: 10_000 },
      }),
      policies: {},
      natsUrl: server.url,
    });
    await server.pause();
    await until(async () => (await readiness(replica)).status === 503, { what: "the silence is noticed" });
    expect((await readiness(replica)).checks.nats.reason).toContain("the server does not answer");
    const start = performance.now();
    // Nothing is in flight, so there is nothing to wait for.
    expect((await replica.stop()).code).toBe(0);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("keeps a stop waiting no longer than its grace, where it hangs from that moment on", async () => {
    const plugin = uniqueName("hung");
    await using server = await startNatsServer();
    await using replica = await startReplica({
      consumer: consumerFile({
        group: "hung",
        plugins: { [plugin]: COMPONENTS.gauntlet("none") },
        replica: { drainMs: 1_000 },
      }),
      policies: {},
      natsUrl: server.url,
    });
    const nats = await caller(server.url);
    nats.publish(`rpc.${plugin}.sleep`, "20000", { reply: "answers.1" });
    await until(async () => Object.keys(await metrics(replica, "network_host_in_flight")).length === 1, {
      what: "it is running",
    });
    await server.pause();
    await replica.stop();
    expect(replica.records.find(({ msg }) => msg === "stopped")).toMatchObject({ outcome: "forced" });
    // One second for the grace, and one for what closing has in any case.
    expect(stopTookMs(replica)).toBeLessThan(5_000);
    expect(replica.records.find(({ msg }) => msg === "request")).toMatchObject({ error: "draining" });
    await nats.close();
  });

  test("keeps no stop waiting of a replica that has never been connected to it", async () => {
    const plugin = uniqueName("hung");
    await using server = await startNatsServer();
    await server.pause();
    await using replica = await startReplica({
      consumer: consumerFile({ group: "hung", plugins: { [plugin]: COMPONENTS.echo } }),
      policies: {},
      natsUrl: server.url,
      waitFor: "process",
    });
    await replica.logged(({ msg }) => msg === "plugin loaded");
    expect((await replica.stop()).code).toBe(0);
    expect(stopTookMs(replica)).toBeLessThan(4_000);
  });

  test("is given up after three pings, and served again when it is back", async () => {
    const plugin = uniqueName("hung");
    await using server = await startNatsServer();
    await using replica = await startReplica({
      consumer: consumerFile({ group: "hung", plugins: { [plugin]: COMPONENTS.echo } }),
      policies: {},
      natsUrl: server.url,
      args: ["--nats-ping", "1s"],
    });
    await server.pause();
    await replica.logged(({ msg }) => msg === "the connection to NATS is lost; reconnecting");
    await server.resume();
    await until(() => replica.isReady(), { what: "it is ready again" });
    const nats = await caller(server.url);
    expect((await request(nats, `rpc.${plugin}`, "x")).text).toBe("x");
    await nats.close();
  });
});

test("an answer to $SRV.STATS that the server would not take is shortened, and costs nothing else", async () => {
  const plugin = uniqueName("verbose");
  await using server = await startConfiguredNatsServer("max_payload: 2048");
  await using replica = await startReplica({
    consumer: consumerFile({ group: "verbose", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
    natsUrl: server.url,
  });
  const nats = await caller(server.url);
  for (let i = 0; i < 60; i++) {
    expect((await request(nats, `rpc.${plugin}.set`, `bucket-${i}-${"x".repeat(40)}\nk\nv`)).status).toBe(200);
  }
  const answer = await nats.request(`$SRV.STATS.${plugin}`, "", { timeout: 30_000 });
  expect(answer.data.length).toBeLessThanOrEqual(2_048);
  const stats = answer.json<{
    truncated?: boolean;
    endpoints: { data: { usedTargets: { privateBuckets: object[]; otherBuckets: number } } }[];
  }>();
  expect(stats.truncated).toBe(true);
  const targets = stats.endpoints[0]?.data.usedTargets;
  expect((targets?.privateBuckets.length ?? 0) + (targets?.otherBuckets ?? 0)).toBe(60);
  expect((await request(nats, `rpc.${plugin}.set`, "b\nk\nv")).status).toBe(200);
  expect(replica.records.filter(({ level }) => level === "error")).toEqual([]);
  expect(replica.errorOutput).toBe("");
  await nats.close();
});
