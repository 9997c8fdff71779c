/**
 * Requests that stand behind a guest which computes begin elsewhere, and each once.
 */

import { setTimeout as delay } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

const REQUESTS = 30;

/** There, a guest computes until its plugin's deadline, however short its caller's time is. */
const ON_JCO = ["--engine", "jco"];

describe("a plugin with a process that computes for a caller which has left", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  test("serves the requests that come then on another one, each once", async () => {
    const plugin = uniqueName("waiting");
    await using replica = await startReplica({
      consumer: consumerFile({
        group: "waiting",
        plugins: { [plugin]: COMPONENTS.gauntlet("read-write") },
        // The guest computes until then.
        limits: { deadlineMs: 60_000, runners: 2 },
      }),
      policies: policyFiles({ [plugin]: READ_WRITE }),
      args: ON_JCO,
    });
    expect((await request(nats, `rpc.${plugin}.echo`, "x")).status).toBe(200);
    const left = await request(nats, `rpc.${plugin}.loop`, "", { "Rpc-Timeout-Ms": "100" });
    expect(left.error).toBe("deadline-exceeded");
    const outcomes = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) => {
        const payload = `bucket\nkey-${index}\nvalue`;
        const { error, status } = await request(nats, `rpc.${plugin}.set`, payload, { "Rpc-Timeout-Ms": "40000" });
        return error ?? status;
      }),
    );
    expect(outcomes).toEqual(Array(REQUESTS).fill(200));
    expect(replica.records.filter(({ msg }) => msg === "the plugin's runner ended")).toEqual([]);
    const metrics = await fetch(`${replica.healthUrl}/metrics`).then((response) => response.text());
    const writes = metrics.split("\n").filter((line) => line.startsWith("network_host_kv_operations_total{"));
    expect(writes.filter((line) => line.includes(`"${plugin}"`)).map((line) => Number(line.split(" ").at(-1)))).toEqual(
      [REQUESTS],
    );
  });

  test("serves them once that one has ended, where it may have no other", async () => {
    const plugin = uniqueName("waiting");
    // Time enough for the next process on a machine that is busy with other things.
    const limits = { deadlineMs: 20_000, runners: 1 };
    const plugins = { [plugin]: COMPONENTS.gauntlet("none") };
    await using replica = await startReplica({
      consumer: consumerFile({ group: "waiting", plugins, limits }),
      policies: {},
      args: ON_JCO,
    });
    expect((await request(nats, `rpc.${plugin}.echo`, "x")).status).toBe(200);
    const left = await request(nats, `rpc.${plugin}.loop`, "", { "Rpc-Timeout-Ms": "100" });
    expect(left.error).toBe("deadline-exceeded");
    // The process is ended at its deadline; what is asked shortly before that has to wait for it.
    await delay(limits.deadlineMs - 2_000);
    const replies = await Promise.all(Array.from({ length: REQUESTS }, () => request(nats, `rpc.${plugin}.echo`, "x")));
    expect(replies.map(({ error, text }) => error ?? text)).toEqual(Array(REQUESTS).fill("x"));
    expect(replica.records.filter(({ msg }) => msg === "the plugin's runner ended")).toHaveLength(1);
  });
});
