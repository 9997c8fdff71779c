/**
 * Fairness of the processor must not hit those who take little of it: what the runner does ahead of a plugin's
 * requests is not the plugin's own demand, and a process that others keep from the processor has computed nothing.
 */

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { getPriority } from "node:os";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { GO_TEST_PLUGINS } from "../../scripts/toolchains/catalogue.ts";
import { buildGoPlugin } from "../../scripts/toolchains/go.ts";
import { READ_WRITE, consumerFile, uniqueName } from "../harness/plugins.ts";
import { runnerOf } from "../harness/processes.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

/** Building it takes minutes where it is not in the cache. */
const BUILD_TIMEOUT_MS = 10 * 60_000;

/** One caller whose next request follows the last reply: at a hog of 250 ms these are several chances to be taken for one. */
const CALLS = 400;

const LOAD_MS = 8_000;

describe.runIf(process.platform === "linux")("a plugin whose instances have to be made anew for each request", () => {
  let nats: NatsConnection;
  let component: string;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    component = await buildGoPlugin(GO_TEST_PLUGINS.conformance);
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    await nats.close();
  });

  test("keeps its priority, whoever calls it without pausing", async () => {
    const plugin = uniqueName("go");
    await using replica = await serve(plugin, component);
    const pid = await runnerOf(replica, plugin);
    let lowest = getPriority(pid);
    for (let call = 0; call < CALLS; call += 1) {
      expect((await request(nats, `rpc.${plugin}.state`, "x")).text).toBe("0 ");
      lowest = Math.max(lowest, getPriority(pid));
    }
    expect(lowest).toBe(getPriority(replica.pid));
  });

  test("is neither lowered nor ended where the machine is busy with other things", async () => {
    const plugin = uniqueName("go");
    await using replica = await serve(plugin, component);
    const pid = await runnerOf(replica, plugin);
    // Long enough to be taken for a hog, by who takes it for one.
    const busyMs = performance.now() + LOAD_MS / 4;
    while (performance.now() < busyMs) await request(nats, `rpc.${plugin}.state`, "x");
    const computing = Array.from({ length: 4 * availableParallelism() }, () => compute(LOAD_MS));
    try {
      let lowest = getPriority(pid);
      const endMs = performance.now() + LOAD_MS;
      while (performance.now() < endMs) {
        // An impatient caller: each of these leaves a sign of life to be given.
        const impatient = request(nats, `rpc.${plugin}.state`, "x", { "Rpc-Timeout-Ms": "5" });
        expect((await request(nats, `rpc.${plugin}.state`, "x")).text).toBe("0 ");
        await impatient;
        lowest = Math.max(lowest, getPriority(pid));
      }
      expect(lowest).toBe(getPriority(replica.pid));
      expect(replica.records.filter(({ msg }) => msg === "the plugin's runner ended")).toEqual([]);
    } finally {
      await Promise.all(computing.map((end) => end()));
    }
  });
});

async function serve(plugin: string, component: string): Promise<Replica> {
  return await startReplica({
    consumer: consumerFile({ group: "appetite", plugins: { [plugin]: component } }),
    policies: { [`${plugin}.yaml`]: JSON.stringify({ plugin, ...READ_WRITE }) },
  });
}

/** A process that computes for so long, in the session of the tests; the result ends it. */
function compute(ms: number): () => Promise<void> {
  const child = spawn(process.execPath, ["-e", `const end = Date.now() + ${ms}; while (Date.now() < end);`], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return async () => {
    child.kill("SIGKILL");
    await ended;
  };
}
