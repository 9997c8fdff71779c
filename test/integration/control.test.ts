/** `network-host status` and `reload`: the real command beside real replicas. */

import { spawn } from "node:child_process";
import { chmod, copyFile, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { connect, createInbox, type NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { exited } from "../../scripts/lib/command.ts";
import type { ReloadReport, StatusReport } from "../../src/control/report.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, type ReplicaOptions, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

let nats: NatsConnection;
beforeAll(async () => {
  nats = await connect({ servers: inject("natsUrl") });
});
afterAll(() => nats.close());

/** A control folder that several replicas share, as those of one user do. */
let control: string;
beforeEach(async () => {
  control = await mkdtemp(join(tmpdir(), "control-"));
});
afterEach(() => rm(control, { recursive: true }));

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Answer> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env["PATH"], CONTROL_DIR: control },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [{ code }, stdout, stderr] = await Promise.all([exited(child), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

async function statusOf(...args: readonly string[]): Promise<{ code: number | null; replicas: StatusReport[] }> {
  const { code, stdout, stderr } = await run("status", "--json", ...args);
  if (stdout === "") throw new Error(stderr);
  return { code, ...(JSON.parse(stdout) as { replicas: StatusReport[] }) };
}

async function reload(...args: readonly string[]): Promise<{ code: number | null; ok: boolean; report: ReloadReport }> {
  const { code, stdout, stderr } = await run("reload", "--json", ...args);
  if (stdout === "") throw new Error(stderr);
  const { ok, replicas } = JSON.parse(stdout) as { ok: boolean; replicas: ReloadReport[] };
  const [report] = replicas;
  if (report === undefined || replicas.length !== 1) throw new Error(`one replica was meant, not ${replicas.length}`);
  return { code, ok, report };
}

/** Longer than any test: what is under way stays so while commands are run. */
const AMPLE = { deadlineMs: 300_000 };

/** A request that is not answered before its replica is killed. */
function beginRequest(plugin: string): void {
  nats.publish(`rpc.${plugin}.sleep`, "300000", { reply: createInbox() });
}

function start(plugins: Readonly<Record<string, string>>, options: Partial<ReplicaOptions> = {}): Promise<Replica> {
  return startReplica({
    consumer: consumerFile({ group: "control", plugins, limits: AMPLE, replica: { drainMs: AMPLE.deadlineMs } }),
    policies: {},
    ...options,
    args: ["--control", control, ...(options.args ?? [])],
  });
}

describe("status", () => {
  test("says where plugins are served over wRPC, by both transports", async () => {
    const both = uniqueName("both");
    const prefix = uniqueName("wrpc");
    const wrpc = {
      tcp: { plugins: [{ name: both, listen: "127.0.0.1:0" }] },
      nats: { prefix, plugins: [both] },
    };
    const plugins = { [both]: COMPONENTS.echo };
    await using replica = await start({}, { consumer: consumerFile({ group: "control", plugins, wrpc }) });
    const { replicas } = await statusOf(String(replica.pid));
    expect(replicas[0]?.wrpc).toEqual([
      { plugin: both, transport: "tcp", address: expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/) },
      { plugin: both, transport: "nats", address: `${prefix}.${both}` },
    ]);
    expect((await run("status", String(replica.pid))).stdout).toContain(`${both} over NATS as ${prefix}.${both}`);
  });

  test("tells of a running replica what its health and discovery know", async () => {
    const [plugin, denied] = [uniqueName("control"), uniqueName("denied")];
    await using replica = await start(
      { [plugin]: COMPONENTS.gauntlet("none"), [denied]: COMPONENTS.gauntlet("read") },
      { replicaId: "r-1" },
    );
    await request(nats, `rpc.${plugin}.sleep`, "0");
    beginRequest(plugin);
    await expect
      .poll(async () => (await statusOf()).replicas[0]?.plugins.map(({ inFlight }) => inFlight))
      .toEqual([1, 0]);
    const { code, replicas } = await statusOf("r-1");
    expect(code).toBe(0);
    const [status] = replicas;
    expect(status).toMatchObject({
      replica: { id: "r-1", group: "control", pid: replica.pid },
      state: "ready",
      checks: {
        nats: { ready: true },
        subscriptions: { ready: true },
        store: { ready: true },
        plugins: { ready: true },
      },
      inFlight: 1,
      nats: { state: "up" },
      store: { kind: "sqlite", state: "up" },
      files: { consumerFile: join(replica.folder, "consumer.yaml"), problems: [], pendingSettings: [], failure: null },
      plugins: [
        { name: plugin, state: "granted", requests: 1, inFlight: 1, error: null, refused: null },
        { name: denied, state: "denied", requests: 0, runners: 0 },
      ],
      error: null,
    });
    expect(status?.plugins[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(status?.since ?? "")).toBeGreaterThanOrEqual(Date.parse(status?.replica.started ?? ""));
    expect(Date.parse(status?.files.lastGood ?? "")).not.toBeNaN();

    const { stdout } = await run("status", String(replica.pid));
    expect(stdout).toContain(`replica r-1 (process ${replica.pid}, group control): ready since `);
    expect(stdout).toMatch(new RegExp(`${plugin} +granted +\\S+ +[0-9a-f]{12} +1 +1 +1 +0`));
    await replica.kill();
  });

  test("says why a replica is not ready, from before it is connected until it has ended", async () => {
    const plugin = uniqueName("control");
    await using replica = await start(
      { [plugin]: COMPONENTS.gauntlet("none") },
      { natsUrl: "nats://127.0.0.1:1", waitFor: "process" },
    );
    await expect
      .poll(async () => (await run("status", "--json")).stdout, { timeout: 60_000 })
      .toContain('"plugins":{"ready":true}');
    const { code, replicas } = await statusOf();
    expect(code).toBe(3);
    expect(replicas[0]).toMatchObject({
      state: "starting",
      nats: null,
      checks: { nats: { ready: false, reason: "not connected" } },
    });
    await replica.stop();
    expect(await run("status")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("replica-unreachable") as string,
    });
    expect(await readdir(control)).toEqual([]);
  });

  test("tells of a replica that drains, which reloads nothing any more", async () => {
    const plugin = uniqueName("control");
    await using replica = await start({ [plugin]: COMPONENTS.gauntlet("none") });
    beginRequest(plugin);
    await expect.poll(async () => (await statusOf()).replicas[0]?.inFlight).toBe(1);
    replica.signal("SIGTERM");
    await replica.logged(({ msg }) => msg === "draining");
    const { code, replicas } = await statusOf();
    expect([code, replicas[0]?.state, replicas[0]?.inFlight]).toEqual([3, "draining", 1]);
    expect(await run("reload")).toMatchObject({ code: 3, stderr: expect.stringContaining("error draining") as string });
    await replica.kill();
  });
});

describe("reload", () => {
  test("exits with 0 when what the files hold is in force", async () => {
    const plugin = uniqueName("control");
    await using replica = await start({ [plugin]: COMPONENTS.gauntlet("read-write") });
    for (const isAllowed of [true, false, true]) {
      const policies = policyFiles({ [plugin]: isAllowed ? READ_WRITE : { allow: [] } });
      await replica.writePolicy(`${plugin}.yaml`, policies[`${plugin}.yaml`] ?? "");
      const { code, report } = await reload();
      expect([code, report.inForce, report.denied]).toEqual([0, true, isAllowed ? [] : [plugin]]);
      expect(report.read).toEqual({ policies: 1, components: 1 });
      expect((await request(nats, `rpc.${plugin}.sleep`, "0")).error).toBe(isAllowed ? undefined : "denied");
    }
    const added = uniqueName("added");
    await replica.writeConsumer(consumerFile({ group: "control", plugins: { [added]: COMPONENTS.gauntlet("none") } }));
    expect((await reload()).code).toBe(0);
    expect((await request(nats, `rpc.${added}.sleep`, "0")).status).toBe(200);
    expect((await statusOf()).replicas[0]?.plugins.map(({ name }) => name)).toEqual([added]);
    expect(replica.records.filter(({ reason }) => reason === "network-host reload")).toHaveLength(4);
  });

  test("exits with 2 and names file and line where a file is wrong, and with 1 what takes a restart", async () => {
    const plugin = uniqueName("control");
    await using replica = await start({ [plugin]: COMPONENTS.gauntlet("none") });
    await replica.writePolicy(`${plugin}.yaml`, `plugin: ${plugin}\nallow:\n  - key-value-reed\n`);
    const place = `${join(replica.folder, "policy", plugin)}.yaml:3:`;
    const said = await run("reload");
    expect(said.code).toBe(2);
    expect(said.stdout).toContain("not everything is in force");
    expect(said.stdout).toContain(`refused ${place}`);
    const { code, ok, report } = await reload();
    expect([code, ok, report.inForce]).toEqual([2, false, false]);
    expect(report.files.problems).toMatchObject([
      { line: 3, message: expect.stringContaining("key-value-reed") as string },
    ]);
    expect((await run("status")).stdout).toContain(`refused ${place}`);

    await rm(join(replica.folder, "policy", `${plugin}.yaml`));
    await replica.writeConsumer(consumerFile({ group: "other", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }));
    const restart = await reload();
    expect([restart.code, restart.report.files.pendingSettings]).toEqual([
      1,
      [{ key: "group", inForce: "control", written: "other" }],
    ]);
  });

  test("exits with 1 and names the component that is refused, and what serves meanwhile", async () => {
    const plugin = uniqueName("control");
    const folder = await mkdtemp(join(tmpdir(), "component-"));
    const component = join(folder, "c.wasm");
    await copyFile(COMPONENTS.gauntlet("none"), component);
    await using replica = await start({ [plugin]: component });
    await writeFile(join(folder, "next"), "no component");
    await rename(join(folder, "next"), component);
    const { code, report } = await reload();
    expect(code).toBe(1);
    expect(report.refused).toMatchObject([
      { name: plugin, component, error: { code: "component-rejected" }, serves: "older-version" },
    ]);
    expect((await request(nats, `rpc.${plugin}.sleep`, "0")).status).toBe(200);
    const { stdout } = await run("reload", String(replica.pid));
    expect(stdout).toMatch(
      new RegExp(`refused ${plugin}, .*c\\.wasm: component-rejected: [^]*an older version serves`),
    );
    await rm(folder, { recursive: true });
  });

  test("waits no longer than it was told", async () => {
    const plugin = uniqueName("control");
    await using replica = await start({ [plugin]: COMPONENTS.gauntlet("none") });
    replica.signal("SIGSTOP");
    const [late, status] = await Promise.all([
      run("reload", "--all", "--timeout", "100ms"),
      run("status", "--json", "--timeout", "100ms"),
    ]);
    replica.signal("SIGCONT");
    expect(late).toMatchObject({ code: 3, stderr: expect.stringContaining("error control-timeout") as string });
    expect(status.code).toBe(3);
    expect(JSON.parse(status.stdout)).toEqual({
      replicas: [
        { replica: { pid: replica.pid }, error: { code: "control-timeout", message: expect.any(String) as string } },
      ],
    });
  });
});

describe("several replicas on one machine", () => {
  test("are told apart, and those that were killed are passed by", async () => {
    const plugin = uniqueName("control");
    const plugins = { [plugin]: COMPONENTS.gauntlet("none") };
    await using one = await start(plugins, { replicaId: "one" });
    await using two = await start(plugins, { replicaId: "two" });
    const both = await run("reload");
    expect([both.code, both.stdout]).toEqual([2, ""]);
    for (const { pid } of [one, two]) expect(both.stderr).toContain(`(process ${pid})`);
    expect((await reload("two")).report.replica).toMatchObject({ id: "two", pid: two.pid });
    expect((await reload(String(one.pid))).report.replica.id).toBe("one");
    expect((await statusOf()).replicas.map(({ replica }) => replica.id).sort()).toEqual(["one", "two"]);
    expect((await run("reload", "--all")).stdout).toMatch(/replica one[^]*replica two|replica two[^]*replica one/);
    expect(await run("reload", "three")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('"three"') as string,
    });

    await one.kill();
    expect(await readdir(control)).toHaveLength(2);
    expect((await reload()).report.replica.id).toBe("two");
    expect((await statusOf()).replicas.map(({ replica }) => replica.id)).toEqual(["two"]);
  });

  test("do not start with a folder that others may enter", async () => {
    await chmod(control, 0o755);
    await using replica = await start({ [uniqueName("control")]: COMPONENTS.gauntlet("none") }, { waitFor: "process" });
    expect(await replica.ended).toMatchObject({ code: 2 });
    expect(replica.errorOutput).toContain(`the control folder ${control} is open to other users`);
    expect(await run("status")).toMatchObject({ code: 2 });
    expect((await stat(control)).mode & 0o777).toBe(0o755);
  });
});
