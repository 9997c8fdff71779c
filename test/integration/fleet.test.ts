import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { COMPONENTS, consumerFile, uniqueName } from "../harness/plugins.ts";
import { childrenOf, runnerOf } from "../harness/processes.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";
import { buildComponent } from "../unit/runner/artifacts.ts";

/** A replica that starts no process ahead. */
const ON_DEMAND = { eagerPlugins: 0 } as const;

describe.runIf(process.platform === "linux")("the processes of a replica's plugins", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  async function serve(
    plugins: Readonly<Record<string, string>>,
    limits: Readonly<Record<string, number>> = {},
    replica: Readonly<Record<string, number>> = ON_DEMAND,
  ): Promise<Replica> {
    return await startReplica({
      consumer: consumerFile({ group: uniqueName("fleet"), plugins, limits, replica }),
      policies: {},
    });
  }

  test("a replica of more plugins than it starts ahead starts no process before a request", async () => {
    const [first, second] = [uniqueName("lazy"), uniqueName("lazy")];
    const plugins = { [first]: COMPONENTS.gauntlet("none"), [second]: COMPONENTS.echo };
    await using replica = await serve(plugins, { runners: 1 }, { eagerPlugins: 1 });
    // Those that looked at the components end by themselves.
    await expect.poll(() => childrenOf(replica.pid)).toEqual([]);
    expect(starts(replica)).toEqual([]);
    const replies = await Promise.all(Array.from({ length: 50 }, () => request(nats, `rpc.${first}.echo`, "x")));
    expect(replies.map(({ text }) => text)).toEqual(replies.map(() => "x"));
    expect(await childrenOf(replica.pid)).toHaveLength(1);
    await expect.poll(() => starts(replica)).toEqual(["request"]);
    expect(await facts(first)).toMatchObject({ runners: 1, coldStarts: 1, restarts: 0 });
    expect(await facts(second)).toMatchObject({ runners: 0, coldStarts: 0 });
  });

  test("a replica of a few plugins has their processes when it is ready", async () => {
    const plugins = { [uniqueName("eager")]: COMPONENTS.gauntlet("none"), [uniqueName("eager")]: COMPONENTS.echo };
    await using replica = await serve(plugins, {}, {});
    const runners = await Promise.all(Object.keys(plugins).map((plugin) => runnerOf(replica, plugin)));
    expect(new Set(runners).size).toBe(2);
    await expect.poll(() => childrenOf(replica.pid)).toHaveLength(2);
  });

  test("an idle process is stopped and started again by the next request, and none is lost on the way", async () => {
    const plugin = uniqueName("idle");
    await using replica = await serve({ [plugin]: COMPONENTS.gauntlet("none") }, { idleMs: 200 });
    for (let round = 1; round <= 3; round++) {
      expect((await request(nats, `rpc.${plugin}.echo`, "x")).text).toBe("x");
      await until(() => stops(replica) === round, { what: "it is stopped" });
    }
    await until(async () => (await childrenOf(replica.pid)).length === 0, { what: "no process is left" });
    // Pauses around the idle time: some of these come just as it is stopped.
    for (let pauseMs = 180; pauseMs <= 460; pauseMs += 10) {
      // The pause is what this is about.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      expect((await request(nats, `rpc.${plugin}.echo`, "x")).status).toBe(200);
    }
    expect(stops(replica)).toBeGreaterThan(3);
    expect(replica.records.some(({ msg }) => msg === "the plugin's runner ended")).toBe(false);
  });

  test("a request is not idle time, however long it waits", async () => {
    const plugin = uniqueName("patient");
    await using replica = await serve({ [plugin]: COMPONENTS.gauntlet("none") }, { idleMs: 100 });
    expect((await request(nats, `rpc.${plugin}.sleep`, "1500")).status).toBe(200);
    await expect.poll(() => starts(replica)).toEqual(["request"]);
  });

  test("a deadline passes while the process starts: answered in time, and the next request is served", async () => {
    const plugin = uniqueName("hasty");
    await using replica = await serve({ [plugin]: COMPONENTS.gauntlet("none") });
    const hasty = await request(nats, `rpc.${plugin}.echo`, "x", { "Rpc-Timeout-Ms": "5" });
    expect(hasty.error).toBe("deadline-exceeded");
    expect((await request(nats, `rpc.${plugin}.echo`, "x")).text).toBe("x");
    await expect.poll(() => starts(replica)).toEqual(["request"]);
  });

  test("what waits for a start counts against the plugin's concurrency", async () => {
    const plugin = uniqueName("bounded");
    await using _ = await serve({ [plugin]: COMPONENTS.gauntlet("none") }, { concurrency: 4 });
    const replies = await Promise.all(Array.from({ length: 20 }, () => request(nats, `rpc.${plugin}.sleep`, "1500")));
    const outcomes = replies.map(({ error, status }) => error ?? status);
    expect(outcomes.filter((outcome) => outcome === 200)).toHaveLength(4);
    expect(outcomes.filter((outcome) => outcome === "overloaded")).toHaveLength(16);
  });

  test("a drain waits for requests that wait for a start", async () => {
    const plugin = uniqueName("drained");
    await using replica = await serve({ [plugin]: COMPONENTS.gauntlet("none") });
    // Those that looked at the component have ended by themselves.
    await expect.poll(() => childrenOf(replica.pid)).toEqual([]);
    const pending = request(nats, `rpc.${plugin}.sleep`, "300");
    await until(async () => (await childrenOf(replica.pid)).length === 1, { what: "it is starting", intervalMs: 5 });
    expect((await replica.stop()).code).toBe(0);
    expect((await pending).status).toBe(200);
  });

  test("a process that dies while it starts: those who wait are told at once, and it comes back", async () => {
    const plugin = uniqueName("stillborn");
    await using replica = await startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: await slowToStart() }, replica: ON_DEMAND }),
      policies: {},
    });
    await expect.poll(() => childrenOf(replica.pid)).toEqual([]);
    const waiting = Array.from({ length: 5 }, () => request(nats, `rpc.${plugin}.echo`, "x"));
    await until(async () => (await childrenOf(replica.pid)).length === 1, { what: "it is starting", intervalMs: 5 });
    for (const child of await childrenOf(replica.pid)) process.kill(child, "SIGKILL");
    for (const { headers } of await Promise.all(waiting)) {
      expect(headers).toMatchObject({ "Rpc-Error": "plugin-unavailable", "Rpc-Retryable": "true" });
      expect(Number(headers["Retry-After-Ms"])).toBeGreaterThan(0);
    }
    await until(async () => (await request(nats, `rpc.${plugin}.echo`, "x")).status === 200, { what: "it is back" });
  });

  test("an artifact that was changed after the load is not executed: it is built anew before the first request", async () => {
    const plugin = uniqueName("tampered");
    await using replica = await startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: COMPONENTS.echo }, replica: ON_DEMAND }),
      policies: {},
      args: ["--cache", "cache"],
    });
    const cache = join(replica.folder, "cache");
    const [engine = ""] = await readdir(cache);
    const digest = String((await replica.logged(({ msg }) => msg === "plugin loaded"))["digest"]);
    const folder = (await readdir(join(cache, engine))).find((name) => name.startsWith(digest) && !name.includes("."));
    const file = join(cache, engine, folder ?? "", "component.plan.json");
    await writeFile(file, "{}");
    expect((await request(nats, `rpc.${plugin}`, "x")).text).toBe("x");
    await replica.logged(({ msg }) => String(msg).startsWith("ALARM"));
  });

  test("a swap starts the new version's process first where the old one has one, and only then", async () => {
    const plugin = uniqueName("swapped");
    await using replica = await startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: "plugin.wasm" }, replica: ON_DEMAND }),
      policies: {},
      files: { "plugin.wasm": COMPONENTS.gauntlet("none") },
    });
    const swap = async (component: string, loads: number): Promise<void> => {
      await copyFile(component, join(replica.folder, "plugin.wasm"));
      const count = (): number => replica.records.filter(({ msg }) => msg === "plugin loaded").length;
      await until(() => count() === loads, { what: "the new version is loaded" });
    };
    // Whatever was never seen before is started once, to be asked for its access levels.
    await swap(COMPONENTS.echo, 2);
    await until(async () => (await childrenOf(replica.pid)).length === 0, { what: "no process is left" });
    await swap(COMPONENTS.gauntlet("none"), 3);
    await expect.poll(() => childrenOf(replica.pid)).toEqual([]);
    expect((await request(nats, `rpc.${plugin}.echo`, "x")).text).toBe("x");
    await swap(COMPONENTS.echo, 4);
    expect((await request(nats, `rpc.${plugin}`, "y")).text).toBe("y");
    await expect.poll(() => starts(replica)).toEqual(["request"]);
  });

  test("a reload while the process starts: the old version answers those who wait, and the new one takes over warm", async () => {
    const plugin = uniqueName("reloaded");
    await using replica = await startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: "plugin.wasm" }, replica: ON_DEMAND }),
      policies: {},
      files: { "plugin.wasm": COMPONENTS.gauntlet("none") },
    });
    await expect.poll(() => childrenOf(replica.pid)).toEqual([]);
    const waiting = Array.from({ length: 5 }, () => request(nats, `rpc.${plugin}.id`, "", { "Rpc-Id": "waits" }));
    await until(async () => (await childrenOf(replica.pid)).length === 1, { what: "it is starting", intervalMs: 5 });
    await copyFile(COMPONENTS.echo, join(replica.folder, "plugin.wasm"));
    // The echo would have answered with nothing.
    for (const { text } of await Promise.all(waiting)) expect(text).toBe("waits");
    await until(async () => (await request(nats, `rpc.${plugin}.id`, "y")).text === "y", {
      what: "the new one serves",
    });
    await expect.poll(() => starts(replica)).toEqual(["request"]);
  });

  test("a plugin that computes without pausing gets a second process, and both take its requests", async () => {
    const plugin = uniqueName("compute");
    await using replica = await serve({ [plugin]: COMPONENTS.gauntlet("none") }, { runners: 2, idleMs: 1_000 });
    const controller = new AbortController();
    // Ends with the test, however that ends.
    using _ = { [Symbol.dispose]: () => controller.abort() };
    const asking = Array.from({ length: 8 }, async () => {
      // Runs out of stack after a while, which costs an instance and no process.
      while (!controller.signal.aborted) await request(nats, `rpc.${plugin}.recurse`).catch(() => undefined);
    });
    await until(() => starts(replica).includes("busy"), { what: "a second process" });
    await expect.poll(() => childrenOf(replica.pid)).toHaveLength(2);
    expect(await facts(plugin)).toMatchObject({ runners: 2 });
    controller.abort();
    await Promise.all(asking);
    await until(async () => (await childrenOf(replica.pid)).length === 0, { what: "they are let go" });
  });

  async function facts(plugin: string): Promise<Record<string, unknown>> {
    const stats = await nats.request(`$SRV.STATS.${plugin}`, "", { timeout: 60_000 });
    return stats.json<{ endpoints: { data: Record<string, unknown> }[] }>().endpoints[0]?.data ?? {};
  }
});

/** A component whose instances take two seconds to be made, and whose handler answers 200. */
async function slowToStart(): Promise<string> {
  const component = await buildComponent(`(module
    (import "cm32p2|wasi:clocks/monotonic-clock@0.2" "now" (func $now (result i64)))
    (memory (export "cm32p2_memory") 2)
    (func $start (local $end i64)
      (local.set $end (i64.add (call $now) (i64.const 2000000000)))
      (loop $again (br_if $again (i64.lt_u (call $now) (local.get $end)))))
    (start $start)
    (func (export "cm32p2_initialize"))
    (func (export "cm32p2_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "cm32p2|local:network-host/handler@1|get-access-levels") (result i32) (i32.const 0))
    (func (export "cm32p2|local:network-host/handler@1|handle-request")
      (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store16 (i32.const 68) (i32.const 200))
      (i32.const 64)))`);
  const path = join(await mkdtemp(join(tmpdir(), "fleet-")), "slow.wasm");
  onTestFinished(() => rm(dirname(path), { recursive: true }));
  await writeFile(path, component);
  return path;
}

/** The reasons of the replica's starts, in their order, but for those that its first sight of a component needs. */
function starts({ records }: Replica): unknown[] {
  const reasons = records.filter(({ msg }) => msg === "runner started").map(({ reason }) => reason);
  return reasons.filter((reason) => reason !== "load");
}

function stops({ records }: Replica): number {
  return records.filter(({ msg }) => msg === "runner stopped").length;
}
