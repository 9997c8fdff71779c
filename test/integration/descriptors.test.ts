/**
 * A replica that has no descriptor left goes on: what needs one fails by itself, and is well when there is one again.
 */

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, uniqueName } from "../harness/plugins.ts";
import { childrenOf } from "../harness/processes.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";

/**
 * A start needs about a dozen: none is missing, or the last one, down to the first. In this order, since starts that failed
 * are tried again, and would take what is left for one that can succeed.
 */
const DESCRIPTORS_LEFT = Array.from({ length: 16 }, (_, missing) => 15 - missing);

describe.runIf(process.platform === "linux")("a replica without descriptors", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  test("starts no process, whichever descriptor is the one that is missing, and serves on", async () => {
    const warm = uniqueName("warm");
    const cold = new Map(DESCRIPTORS_LEFT.map((left) => [left, uniqueName("cold")]));
    const plugins = Object.fromEntries([warm, ...cold.values()].map((plugin) => [plugin, COMPONENTS.echo]));
    const consumer = consumerFile({ group: "descriptors", plugins, replica: { eagerPlugins: 0 } });
    await using replica = await startReplica({ consumer, policies: {} });
    expect((await request(nats, `rpc.${warm}`, "x")).text).toBe("x");
    const before = await descriptorsBeside(replica);
    const refused: number[] = [];
    for (const left of DESCRIPTORS_LEFT) {
      await leaveDescriptors(replica, left);
      const reply = await request(nats, `rpc.${cold.get(left)}`, "x");
      if (reply.error !== undefined) {
        expect(reply.headers).toMatchObject({ "Rpc-Error": "plugin-unavailable", "Rpc-Retryable": "true" });
        refused.push(left);
      }
      expect((await request(nats, `rpc.${warm}`, "x")).text).toBe("x");
    }
    expect(refused).toContain(11);
    expect(refused).not.toContain(15);
    expect(replica.records.some(({ err }) => codeOf(err) === "resources-exhausted")).toBe(true);
    await limitDescriptors(replica, 4_096);
    // Nothing of the starts that failed is left, but for a connection or two of whoever asked for its health.
    const isBack = async (): Promise<boolean> => (await descriptorsBeside(replica)) <= before + 2;
    await until(isBack, { what: "its descriptors are closed" });
    for (const plugin of cold.values()) {
      const isServed = async (): Promise<boolean> => (await request(nats, `rpc.${plugin}`, "x")).text === "x";
      await until(isServed, { what: `${plugin} is served` });
    }
  });
});

/** From now on the replica can open so many. */
async function leaveDescriptors(replica: Replica, left: number): Promise<void> {
  const open = new Set((await openDescriptors(replica)).map(Number));
  let limit = 0;
  for (let free = -1; free < left; limit += 1) if (!open.has(limit)) free += 1;
  await limitDescriptors(replica, limit - 1);
}

async function openDescriptors({ pid }: Replica): Promise<readonly string[]> {
  return await readdir(`/proc/${pid}/fd`);
}

/** For each process of a plugin: its channel, its standard error, and three files that tell of it. */
const DESCRIPTORS_EACH = 5;

/** What is open beside what the processes of plugins need. */
async function descriptorsBeside(replica: Replica): Promise<number> {
  const children = await childrenOf(replica.pid);
  return (await openDescriptors(replica)).length - DESCRIPTORS_EACH * children.length;
}

async function limitDescriptors({ pid }: Replica, limit: number): Promise<void> {
  await promisify(execFile)("prlimit", [`--pid=${pid}`, `--nofile=${limit}:4096`]);
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
