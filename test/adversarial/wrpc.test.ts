/** Strangers at a wRPC listener of a real replica: many connections, and none left to accept them with. */

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { freePort } from "../../src/local-nats/free-port.ts";
import { until } from "../../scripts/lib/until.ts";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import { COMPONENTS, consumerFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { RawCaller, requestBytes, resultIn } from "../unit/wrpc-server/scene.ts";

const STRANGERS = 10_000;
/** At a time, besides those that stay: what the test's own process and the system's queue of a listener can take. */
const STRANGERS_AT_A_TIME = 200;

describe("strangers at a wRPC listener", () => {
  let nats: NatsConnection;
  let replica: Replica;
  let plugin: string;
  let port: number;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    plugin = uniqueName("echo");
    port = await freePort();
    const file = JSON.parse(consumerFile({ group: "wrpc", plugins: { [plugin]: COMPONENTS.echo } })) as object;
    const wrpc = { tcp: { plugins: [{ name: plugin, listen: `127.0.0.1:${port}` }] } };
    replica = await startReplica({ consumer: JSON.stringify({ ...file, wrpc }), policies: {} });
  });

  afterAll(async () => {
    await replica[Symbol.asyncDispose]();
    await nats.close();
  });

  async function ended(outcome: string): Promise<number> {
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    const name = `network_host_wrpc_connections_ended_total{plugin="${plugin}",outcome="${outcome}"} `;
    const line = metrics.split("\n").find((each) => each.startsWith(name));
    return Number(line?.slice(name.length) ?? 0);
  }

  async function call(): Promise<string | undefined> {
    return resultIn(await (await RawCaller.to(port)).send(requestBytes()).end().closed)?.tag;
  }

  test("who open ten thousand connections take a bounded number, and NATS requests are served meanwhile", async () => {
    const kept: RawCaller[] = [];
    for (let opened = 0; opened < STRANGERS; opened += STRANGERS_AT_A_TIME) {
      const callers = await Promise.all(Array.from({ length: STRANGERS_AT_A_TIME }, () => RawCaller.to(port)));
      kept.push(...callers.filter(({ socket }) => !socket.destroyed));
      if (opened % 2_000 === 0) expect((await request(nats, `rpc.${plugin}`, "x")).text).toBe("x");
    }
    const open = (): number => kept.filter(({ socket }) => !socket.destroyed).length;
    await until(() => Promise.resolve(open() <= FIXED_LIMITS.wrpcPluginConnections), {
      what: "further ones are closed",
    });
    // The first ones may have been closed meanwhile, since they sent nothing.
    expect((await ended("too-many")) + (await ended("silent")) + open()).toBeGreaterThanOrEqual(STRANGERS);
    for (const { socket } of kept) socket.destroy();
    await until(async () => (await call()) === "ok", { what: "calls are served again" });
  });

  test.runIf(process.platform === "linux")("find a replica without descriptors, which serves on", async () => {
    const open = new Set((await readdir(`/proc/${replica.pid}/fd`)).map(Number));
    let free = 0;
    while (open.has(free)) free += 1;
    await limitDescriptors(free);
    const callers = await Promise.all(Array.from({ length: 50 }, () => RawCaller.to(port)));
    for (const caller of callers) caller.send(requestBytes()).end();
    await Promise.all(callers.map(async ({ closed }) => await closed));
    // What the replica closes meanwhile makes room for another call, which is answered as ever; the others get no byte.
    const answered = callers.filter(({ received }) => received.length > 0);
    expect(answered.length).toBeLessThan(callers.length);
    for (const caller of answered) expect(resultIn(caller.received)?.tag).toBe("ok");
    expect((await request(nats, `rpc.${plugin}`, "x")).text).toBe("x");
    await limitDescriptors(4_096);
    await until(async () => (await call()) === "ok", { what: "calls are served again" });
  });

  async function limitDescriptors(limit: number): Promise<void> {
    await promisify(execFile)("prlimit", [`--pid=${replica.pid}`, `--nofile=${limit}:4096`]);
  }
});
