/**
 * Loads that fail: what passes is tried again, what does not is said so, and meanwhile another replica serves.
 */

import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, projectFile, uniqueName } from "../harness/plugins.ts";
import { childrenOf } from "../harness/processes.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";
import { run } from "../unit/cli/run.ts";

describe.runIf(process.platform === "linux")("a plugin", () => {
  let nats: NatsConnection;
  let folder: string;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    folder = await mkdtemp(join(tmpdir(), "loads-"));
  });

  afterAll(async () => {
    await nats.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts a replica with a cache of its own, so that everything is compiled. */
  async function serve(plugins: Readonly<Record<string, string>>, replicaId: string): Promise<Replica> {
    const cache = join(folder, `cache-${replicaId}`);
    await mkdir(cache, { recursive: true, mode: 0o700 });
    return await startReplica({
      consumer: consumerFile({ group: "loads", plugins }),
      policies: {},
      replicaId,
      args: ["--cache", cache],
      waitFor: "process",
    });
  }

  test("whose compiler was killed is compiled again, and served", async () => {
    const plugin = uniqueName("killed");
    await using replica = await serve({ [plugin]: COMPONENTS.echo }, plugin);
    await until(() => killCompiler(replica.pid), { what: "the compiler runs", intervalMs: 1 });
    const record = await replica.logged(({ msg }) => String(msg).includes("is tried again"));
    expect(record).toMatchObject({ plugin, err: { code: "resources-exhausted" }, retryMs: 1_000 });
    await until(async () => await served(plugin), { what: "it is served" });
    await until(() => replica.isReady(), { what: "the replica is ready" });
  });

  test("that cannot be loaded now is left to a replica that has it, until there is none", async () => {
    const plugin = uniqueName("left");
    const component = join(folder, `${plugin}.wasm`);
    await using lacking = await serve({ [plugin]: component }, `${plugin}-lacking`);
    // Nobody has it: the error stays.
    const isRefused = async (): Promise<boolean> =>
      (await request(nats, `rpc.${plugin}`, "x").catch(() => undefined))?.error === "plugin-unavailable";
    await until(isRefused, { what: "the replica says that it cannot serve" });
    const readiness = await readyOf(lacking);
    expect(readiness).toMatchObject({
      ready: false,
      checks: { plugins: { reason: `cannot be loaded now: ${plugin} (component-unreadable)` } },
    });
    expect(await metricsOf(lacking)).toContain(`network_host_plugin_state{plugin="${plugin}",state="failed"} 1`);
    {
      await using having = await serve({ [plugin]: COMPONENTS.echo }, `${plugin}-having`);
      await having.logged(({ msg }) => msg === "ready");
      await lacking.logged(({ msg }) => String(msg).includes("another replica takes its requests"));
      const replies = await Promise.all(Array.from({ length: 100 }, () => request(nats, `rpc.${plugin}`, "x")));
      expect(replies.map(({ error }) => error)).toEqual(Array(100).fill(undefined));
    }
    await until(isRefused, { what: "the replica says so again" });
    await copyFile(COMPONENTS.echo, component);
    await until(async () => await served(plugin), { what: "it is served" });
    await until(() => lacking.isReady(), { what: "the replica is ready" });
  });

  test("that never can be loaded says so: not to be tried again, and no reason not to be ready", async () => {
    const [broken, looping] = [uniqueName("broken"), uniqueName("trap")];
    const component = join(folder, `${broken}.wasm`);
    await writeFile(component, (await readFile(COMPONENTS.echo)).subarray(0, 1_000));
    const plugins = { [broken]: component, [looping]: COMPONENTS.probe("trap") };
    await using replica = await serve(plugins, broken);
    await replica.logged(({ msg }) => msg === "ready");
    for (const plugin of [broken, looping]) {
      expect((await request(nats, `rpc.${plugin}`, "x")).headers).toMatchObject({
        "Rpc-Error": "plugin-unloadable",
        "Rpc-Retryable": "false",
      });
    }
    expect((await run(["call", "--nats", inject("natsUrl"), broken])).code).toBe(1);
    const { ready, checks } = await readyOf(replica);
    expect([ready, checks.plugins.ready]).toEqual([true, true]);
    expect(checks.plugins.degraded).toContain(`${broken} (component-rejected)`);
    expect(checks.plugins.degraded).toContain(`${looping} (probe-failed)`);
    expect(await metricsOf(replica)).toContain(`network_host_plugin_state{plugin="${broken}",state="unloadable"} 1`);
  });

  test("whose newer version is refused serves on, and the gauges tell", async () => {
    const plugin = uniqueName("refused");
    const component = join(folder, `${plugin}.wasm`);
    await copyFile(COMPONENTS.echo, component);
    await using replica = await serve({ [plugin]: component }, plugin);
    await replica.logged(({ msg }) => msg === "ready");
    const before = await metricsOf(replica);
    expect(before).toContain("network_host_last_reload_good 1");
    expect(before).not.toContain(`network_host_refused_version{plugin="${plugin}"`);
    await writeFile(component, "no component");
    await replica.logged(({ msg }) => String(msg).startsWith("the new version is refused"));
    const after = await metricsOf(replica);
    expect(after).toContain(`network_host_refused_version{plugin="${plugin}",code="component-rejected"} 1`);
    expect(await served(plugin)).toBe(true);
    await replica.writeConsumer("group: [");
    await until(async () => (await metricsOf(replica)).includes("network_host_last_reload_good 0"), {
      what: "the reload is told of",
    });
    expect(after).toMatch(/^network_host_last_good_reload_timestamp_seconds 1\d{9}/m);
  });

  test("that is added where no descriptor is left is loaded once there is one", async () => {
    const [first, added] = [uniqueName("first"), uniqueName("added")];
    const component = join(folder, `${added}.wasm`);
    await using replica = await serve({ [first]: COMPONENTS.echo, [added]: component }, first);
    await until(() => served(first), { what: "it is served" });
    await copyFile(projectFile("test/components/gauntlet-none.wasm"), component);
    await prlimit(replica.pid, 12);
    await replica.logged(({ plugin, retryMs }) => plugin === added && Number(retryMs) >= 4_000);
    expect(await served(first)).toBe(true);
    await prlimit(replica.pid, 4_096);
    await until(async () => (await request(nats, `rpc.${added}.echo`, "x")).text === "x", { what: "it is served" });
  });

  async function served(plugin: string): Promise<boolean> {
    const reply = await request(nats, `rpc.${plugin}`, "x").catch(() => undefined);
    return reply?.text === "x";
  }
});

interface ReadinessAnswer {
  readonly ready: boolean;
  readonly checks: { readonly plugins: { readonly ready: boolean; readonly degraded?: string } };
}

async function readyOf({ healthUrl }: Replica): Promise<ReadinessAnswer> {
  return (await (await fetch(`${healthUrl}/readyz`)).json()) as ReadinessAnswer;
}

async function metricsOf({ healthUrl }: Replica): Promise<string> {
  return await (await fetch(`${healthUrl}/metrics`)).text();
}

async function prlimit(pid: number, descriptors: number): Promise<void> {
  await promisify(execFile)("prlimit", [`--pid=${pid}`, `--nofile=${descriptors}:4096`]);
}

/** Ends a compiler of the replica's from outside, as the kernel does where memory is short. */
async function killCompiler(pid: number): Promise<boolean> {
  for (const child of await childrenOf(pid)) {
    const commandLine = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
    if (!commandLine.includes("compiler/main")) continue;
    process.kill(child, "SIGKILL");
    return true;
  }
  return false;
}
