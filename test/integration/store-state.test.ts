import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { freePort } from "../../src/local-nats/free-port.ts";
import { startGuardedMongod } from "../harness/mongod-set.ts";
import { COMPONENTS, consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, type ReplicaOptions, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";

const PASSWORD = "hunter2-s3cret";

let nats: NatsConnection;
beforeAll(async () => {
  nats = await connect({ servers: inject("natsUrl") });
});
afterAll(() => nats.close());

async function startWith(plugin: string, policy: object, options: Partial<ReplicaOptions>): Promise<Replica> {
  const component = COMPONENTS.gauntlet(policy === READ_WRITE ? "read-write" : "read");
  return await startReplica({
    consumer: consumerFile({ group: plugin, plugins: { [plugin]: component } }),
    policies: policyFiles({ [plugin]: policy }),
    waitFor: "process",
    ...options,
  });
}

async function get(replica: Replica, path: string): Promise<string> {
  return await fetch(`${replica.healthUrl}${path}`).then(
    (response) => response.text(),
    () => "",
  );
}

/** What readiness says of the store. */
async function storeCheck(replica: Replica): Promise<unknown> {
  const answer = await get(replica, "/readyz");
  return answer === "" ? undefined : (JSON.parse(answer) as { checks: { store: unknown } }).checks.store;
}

async function becomesReady(replica: Replica): Promise<void> {
  await until(() => replica.isReady(), { what: "the replica is ready", timeoutMs: 90_000 });
}

const NOT_TAKEN = "the store cannot do what the plugins may do";
const TAKEN_AGAIN = "the store can do what the plugins may do again";

describe("a replica whose MongoDB user may only read", () => {
  test("is ready for plugins that read and not for those that write; the reason is in the log once, without secrets", async () => {
    await using server = await startGuardedMongod();
    await server.admin("admin", { createUser: "u", pwd: PASSWORD, roles: [{ role: "read", db: "app" }] });
    const mongodbUrl = `mongodb://u:${PASSWORD}@${server.address}/app?authSource=admin`;
    const [reading, writing] = [uniqueName("reading"), uniqueName("writing")];
    await using reader = await startWith(reading, { allow: ["key-value-read"] }, { mongodbUrl });
    await becomesReady(reader);

    await using writer = await startWith(writing, READ_WRITE, { mongodbUrl });
    const { detail } = await writer.logged(({ msg }) => msg === NOT_TAKEN);
    expect(detail).toContain("Unauthorized");
    expect(await storeCheck(writer)).toEqual({ ready: false, reason: detail });
    expect(await get(writer, "/metrics")).toMatch(/^network_host_store_up 0$/m);
    for (let look = 0; look < 20; look += 1) await storeCheck(writer);
    expect(writer.records.filter(({ msg }) => msg === NOT_TAKEN)).toHaveLength(1);

    await server.admin("admin", { grantRolesToUser: "u", roles: [{ role: "readWrite", db: "app" }] });
    await becomesReady(writer);
    await writer.logged(({ msg }) => msg === TAKEN_AGAIN);
    expect(await get(writer, "/metrics")).toMatch(/^network_host_store_up 1$/m);
    expect(JSON.stringify([reader.records, writer.records])).not.toContain(PASSWORD);
  });
});

describe("a replica whose SQLite file can grow no more", () => {
  test("is not ready while a plugin may write, and is ready again when the file can grow", async () => {
    const plugin = uniqueName("sqlite");
    await using replica = await startWith(plugin, READ_WRITE, { waitFor: "ready" });
    const limit = (bytes: string): unknown =>
      execFileSync("prlimit", ["--pid", String(replica.pid), `--fsize=${bytes}:`]);
    limit("4096");
    const { detail } = await replica.logged(({ msg }) => msg === NOT_TAKEN);
    expect(detail).toMatch(/^SQLite write failed/);
    await until(async () => (await storeCheck(replica)) !== undefined, { what: "readiness answers" });
    expect(await storeCheck(replica)).toMatchObject({ ready: false });
    const { status } = await request(nats, `rpc.${plugin}.get`, "b\nk");
    expect(status, "reading goes on: there is no such key").toBe(404);
    limit("unlimited");
    await becomesReady(replica);
    await replica.logged(({ msg }) => msg === TAKEN_AGAIN);
  });
});

describe("a replica without its store", () => {
  test("says why before anybody asks it, and serves what needs no store", async () => {
    const plugin = uniqueName("storeless");
    const port = await freePort();
    await using replica = await startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: COMPONENTS.echo } }),
      policies: {},
      mongodbUrl: `mongodb://u:${PASSWORD}@127.0.0.1:${port}/app`,
      waitFor: "process",
    });
    const { store, detail } = await replica.logged(({ msg }) => msg === NOT_TAKEN);
    expect([store, detail]).toEqual(["mongodb", expect.stringContaining(`127.0.0.1:${port}`)]);
    await replica.logged(({ msg }) => msg === "ready");
    expect((await request(nats, `rpc.${plugin}.hello`, "x")).text).toBe("x");
    expect((await replica.stop()).code).toBe(0);
  });
});

describe("serve with a store that can never work", () => {
  test.each([
    ["MONGODB_URL", {}, `mongodb://u:${PASSWORD}@127.0.0.1/my.database`],
    ["--store", undefined, `mongodb://u:${PASSWORD}@127.0.0.1/app?compressors=snappy`],
  ])("ends with 2, naming %s and what to do, and no secret", async (source, env, url) => {
    const args = [projectFile("src/main.ts"), "serve", ...(env === undefined ? ["--store", url] : [])];
    const child = spawn(process.execPath, args, {
      cwd: projectFile("."),
      env: { PATH: process.env["PATH"], ...(env !== undefined && { MONGODB_URL: url }) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit") as Promise<[number]>,
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error usage-invalid: ${source} cannot be used: [^\\n]*; [^\\n]*\\n$`));
    expect(stdout + stderr).not.toContain(PASSWORD);
  });
});

describe("a replica whose SQLite file is taken from under it", () => {
  test("is not ready while another file or none is in its place, says so, and takes no write that would be lost", async () => {
    const plugin = uniqueName("moved");
    await using replica = await startWith(plugin, READ_WRITE, { waitFor: "ready" });
    const set = () => request(nats, `rpc.${plugin}`, "user-data\nkey\nvalue", { "Rpc-Method": "set" });
    expect((await set()).status).toBe(200);

    const path = join(replica.folder, "store.sqlite");
    await rename(path, `${path}.away`);
    await until(async () => !(await replica.isReady()), { what: "the file is missed" });
    expect(await storeCheck(replica)).toMatchObject({
      ready: false,
      reason: expect.stringContaining("was deleted or moved while it was open"),
    });
    expect((await set()).text).toContain("store-unavailable");

    await rename(`${path}.away`, path);
    await becomesReady(replica);
    expect((await set()).status).toBe(200);

    await copyFile(path, `${path}.copy`);
    await rename(`${path}.copy`, path);
    await until(async () => !(await replica.isReady()), { what: "the other file is seen" });
    expect(await storeCheck(replica)).toMatchObject({
      reason: expect.stringContaining("was replaced while it was open"),
    });
  });
});
