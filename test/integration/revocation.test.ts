import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { HTTP_ERROR_CODES } from "../../src/contract/http.ts";
import { startHttpServer } from "../harness/local-server.ts";
import { COMPONENTS, consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { childrenOf, freeze, programsOf } from "../harness/processes.ts";
import { type Replica, type ReplicaOptions, startReplica } from "../harness/replica.ts";
import { type Reply, request } from "../harness/request.ts";
import { startMongod } from "../harness/server.ts";
import { until } from "../../scripts/lib/until.ts";

/** What docs/policy.md promises, from when a change is seen. */
const BOUND_MS = 1_000;
const YEARS_AGO = new Date("2020-02-02T00:00:00Z");
const FETCHER = projectFile("test/components/fetcher.wasm");

/** Replicas whose plugins lose what they were allowed. */
describe("a revocation", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  const ask = (plugin: string, method: string, payload = ""): Promise<Reply> =>
    request(nats, `rpc.${plugin}.${method}`, payload);

  /** Serves one gauntlet that may read and write. */
  async function serve(plugin: string, options: Partial<ReplicaOptions> = {}): Promise<Replica> {
    return await startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
      policies: policyFiles({ [plugin]: READ_WRITE }),
      ...options,
    });
  }

  /** What was taken from a plugin the last time, and how long that took. */
  async function narrowed(replica: Replica, plugin: string, what: string): Promise<void> {
    const record = await replica.logged(
      (entry) =>
        entry["plugin"] === plugin &&
        String(entry["msg"]).startsWith("permissions were narrowed") &&
        (entry["taken"] as string[]).some((text) => text.includes(what)),
    );
    expect(record["ms"], "milliseconds from when the change was seen").toBeLessThan(BOUND_MS);
  }

  describe("of one plugin, while another one is being compiled without an end", () => {
    const [slow, levels, bucket, host, limits, removed] = ["slow", "levels", "bucket", "host", "limits", "removed"].map(
      (stem) => uniqueName(stem),
    ) as [string, string, string, string, string, string];
    let replica: Replica;
    let compiler: number;
    /** Compilations that had ended before. */
    let compiled = -1;
    const compilations = (): number => replica.records.filter(({ msg }) => msg === "component compiled").length;

    beforeAll(async () => {
      replica = await startReplica({
        consumer: consumer([slow, levels, bucket, host, limits, removed]),
        policies: policyFiles({
          [levels]: READ_WRITE,
          [bucket]: READ_WRITE,
          [limits]: READ_WRITE,
          [host]: { allow: ["outbound-http"], hosts: ["http://127.0.0.1:9"] },
        }),
        files: { "slow.wasm": COMPONENTS.echo },
      });
      expect((await ask(levels, "set", "user-data\nk\nv")).status).toBe(200);
      expect((await ask(bucket, "set", "user-data\nk\nv")).status).toBe(200);
      expect((await ask(limits, "echo", "x".repeat(2_000))).status).toBe(200);
      expect((await ask(host, "http-full", "0\n127.0.0.1:9\n/\n\n\n\n")).text).toBe(error("connection-refused"));
      expect((await ask(removed, "echo", "x")).status).toBe(200);
      const isFrozen = async (): Promise<boolean> => {
        // A compilation that was over before it was seen is followed by another one.
        if (compiled !== compilations()) {
          compiled = compilations();
          const component = await unknownComponent(replica, COMPONENTS.gauntlet("none"));
          await copyFile(component, join(replica.folder, "slow.wasm"));
        }
        const [found] = await programsOf(replica, "compiler");
        if (found === undefined) return false;
        compiler = found;
        return await freeze(found);
      };
      await until(isFrozen, { what: "it compiles", intervalMs: 5 });
    });

    afterAll(async () => {
      await replica?.[Symbol.asyncDispose]();
    });

    function consumer(names: readonly string[]): string {
      const components = new Map([
        [slow, "slow.wasm"],
        [host, FETCHER],
      ]);
      const plugins = names.map((name) => [name, components.get(name) ?? COMPONENTS.gauntlet("read-write")]);
      plugins.push([removed, COMPONENTS.gauntlet("none")]);
      return consumerFile({
        group: slow,
        plugins: Object.fromEntries(plugins.filter(([name]) => names.includes(name ?? ""))),
      });
    }

    test("levels: it is denied", async () => {
      await writePolicy(replica, levels, { allow: ["key-value-read"] });
      await narrowed(replica, levels, "key-value-write");
      expect((await ask(levels, "echo", "x")).error).toBe("denied");
    });

    test("a bucket: its next operation is refused", async () => {
      await writePolicy(replica, bucket, { ...READ_WRITE, buckets: { private: ["other"] } });
      await narrowed(replica, bucket, "private buckets but other");
      expect((await ask(bucket, "get", "user-data\nk")).text).toMatch(/^access-denied/);
      expect((await ask(bucket, "set", "other\nk\nv")).status).toBe(200);
    });

    test("a host: its next request is refused", async () => {
      await writePolicy(replica, host, { allow: ["outbound-http"], hosts: ["http://127.0.0.1:10"] });
      await narrowed(replica, host, "host http://127.0.0.1:9");
      expect((await ask(host, "http-full", "0\n127.0.0.1:9\n/\n\n\n\n")).text).toBe(error("HTTP-request-denied"));
    });

    test("limits of a request: the next one has them", async () => {
      await writePolicy(replica, limits, { ...READ_WRITE, limits: { payloadBytes: 1_000, valueBytes: 10 } });
      await narrowed(replica, limits, "payloadBytes from");
      expect((await ask(limits, "echo", "x".repeat(2_000))).error).toBe("payload-too-large");
      expect((await ask(limits, "set", "user-data\nk\n12345678901")).text).toMatch(/^value-too-large/);
    });

    test("the plugin itself: nobody serves it", async () => {
      await replica.writeConsumer(consumer([slow, levels, bucket, host, limits]));
      await replica.logged(({ msg, plugin }) => msg === "plugin removed" && plugin === removed);
      await expect(ask(removed, "echo", "x")).rejects.toThrow(/no responders/i);
    });

    test("and the one that was compiled is served in the end", async () => {
      expect(compilations()).toBe(compiled);
      process.kill(compiler, "SIGCONT");
      await until(() => compilations() === compiled + 1, { what: "it is compiled" });
      await until(async () => (await ask(slow, "echo", "x")).text === "x", { what: "it is served" });
    });
  });

  describe("for calls in flight", () => {
    test("what is read is not handed out, what is written next is refused, and the reply has the lower limit", async () => {
      const plugin = uniqueName("midway");
      await using server = await startMongod();
      await using replica = await serve(plugin, { mongodbUrl: server.url });
      expect((await ask(plugin, "set", "user-data\nk\nsecret")).status).toBe(200);
      for (const [method, policy, taken] of [
        ["get", { ...READ_WRITE, buckets: { private: ["other"] } }, "private buckets"],
        ["get-set", { allow: ["key-value-read"] }, "key-value-write"],
        ["get", { ...READ_WRITE, limits: { replyBytes: 1 } }, "replyBytes"],
      ] as const) {
        await writePolicy(replica, plugin, READ_WRITE);
        await until(async () => (await ask(plugin, "get", "user-data\nk")).text === "secret", { what: "it may read" });
        await server.pause();
        const pending = ask(plugin, method, "user-data\nk\nnew");
        await until(async () => (await metric(replica, `network_host_in_flight{plugin="${plugin}"}`)) === 1, {
          what: "it waits for the store",
        });
        await writePolicy(replica, plugin, policy);
        await narrowed(replica, plugin, taken);
        await server.resume();
        const reply = await pending;
        if (taken === "replyBytes") expect(reply.error).toBe("reply-too-large");
        else expect(reply.text).toMatch(/^access-denied/);
      }
      await writePolicy(replica, plugin, READ_WRITE);
      await until(async () => (await ask(plugin, "get", "user-data\nk")).status === 200, { what: "it may read" });
      expect((await ask(plugin, "get", "user-data\nk")).text).toBe("secret");
    });

    test("a response of a host that is no longer allowed is broken off", async () => {
      const plugin = uniqueName("stream");
      let sent: NodeJS.Timeout | undefined;
      await using server = await startHttpServer((_incoming, outgoing) => {
        outgoing.writeHead(200);
        sent = setInterval(() => outgoing.write("more"), 20);
        outgoing.on("close", () => clearInterval(sent));
      });
      await using replica = await startReplica({
        consumer: consumerFile({ group: plugin, plugins: { [plugin]: FETCHER } }),
        policies: policyFiles({ [plugin]: { allow: ["outbound-http"], hosts: [`http://${server.authority}`] } }),
      });
      const pending = ask(plugin, "http-full", `0\n${server.authority}\n/\n\n\n\n`);
      await until(() => server.open === 1 && sent !== undefined, { what: "the response has begun" });
      await writePolicy(replica, plugin, { allow: ["outbound-http"], hosts: ["https://other.example"] });
      expect((await pending).text).toBe(error("HTTP-request-denied"));
      await expect.poll(() => server.open).toBe(0);
      const note = await replica.logged(({ msg }) => String(msg).includes("was broken off"));
      expect(note["msg"]).toContain(`the policy allows no http://${server.authority}`);
    });

    test("one that waits for its plugin's process does not begin", async () => {
      const plugin = uniqueName("cold");
      await using replica = await serve(plugin, {
        consumer: consumerFile({
          group: plugin,
          plugins: { [plugin]: COMPONENTS.gauntlet("read-write") },
          replica: { eagerPlugins: 0 },
        }),
      });
      await expect.poll(() => childrenOf(replica.pid)).toEqual([]);
      const waiting = ask(plugin, "set", "user-data\nk\nv");
      const starting = async (): Promise<readonly number[]> => await programsOf(replica, "runner");
      await until(async () => (await starting()).length === 1, { what: "it is starting", intervalMs: 1 });
      for (const runner of await starting()) await freeze(runner);
      await writePolicy(replica, plugin, { allow: [] });
      expect((await waiting).error).toBe("denied");
      await narrowed(replica, plugin, "key-value-write");
    });

    test("a lower deadline is theirs, too", async () => {
      const plugin = uniqueName("sleeper");
      await using replica = await serve(plugin);
      const sleeping = ask(plugin, "sleep", "29000");
      await until(async () => (await metric(replica, `network_host_in_flight{plugin="${plugin}"}`)) === 1, {
        what: "it runs",
      });
      await writePolicy(replica, plugin, { ...READ_WRITE, limits: { deadlineMs: 200 } });
      expect((await sleeping).error).toBe("deadline-exceeded");
    });
  });

  describe("with files that cannot be used", () => {
    test("one plugin's typo holds up no other one, and is applied when it is repaired in place", async () => {
      const [first, other] = [uniqueName("first"), uniqueName("other")];
      const component = COMPONENTS.gauntlet("read-write");
      await using replica = await startReplica({
        consumer: consumerFile({ group: first, plugins: { [first]: component, [other]: component } }),
        policies: policyFiles({ [other]: READ_WRITE }),
      });
      expect((await ask(first, "echo", "x")).error).toBe("denied");
      await replica.writePolicy(`${first}.yaml`, `plugin: ${first}\nallow: [key-value-raed]\n`);
      const broken = await replica.logged(({ msg }) => String(msg).startsWith("the configuration is invalid"));
      expect(broken).toMatchObject({ keepPolicy: [], allowedNothing: [first] });
      await writePolicy(replica, other, { allow: [] });
      await narrowed(replica, other, "key-value-read");
      expect((await ask(other, "echo", "x")).error).toBe("denied");
      expect(await metric(replica, "network_host_unusable_files")).toBe(1);
      // The same size, in the same place.
      await replica.writePolicy(`${first}.yaml`, `plugin: ${first}\nallow: [key-value-read]\n`);
      await replica.logged(({ msg }) => String(msg).startsWith("the configuration is valid again"));
      expect(await metric(replica, "network_host_unusable_files")).toBe(0);
      expect(await checked(replica)).toEqual({ [first]: "denied", [other]: "denied" });
      await writePolicy(replica, first, READ_WRITE);
      await until(async () => (await ask(first, "echo", "x")).status === 200, { what: "it is served" });
      expect(await checked(replica)).toEqual({ [first]: "granted", [other]: "denied" });
    });

    test("its own: broken or unreadable it keeps the last one, gone it is allowed nothing", async () => {
      const plugin = uniqueName("own");
      await using replica = await serve(plugin);
      const path = join(replica.folder, "policy", `${plugin}.yaml`);
      const allowed = async (): Promise<unknown> => (await ask(plugin, "echo", "x")).error ?? "served";
      const problem = (text: string) =>
        replica.logged(
          ({ err, msg }) =>
            String(msg).startsWith("the configuration is invalid") && JSON.stringify(err).includes(text),
        );

      await writeFile(path, `plugin: ${plugin}\nalow: []\n`);
      expect(await problem("alow")).toMatchObject({ keepPolicy: [plugin] });
      expect(await allowed()).toBe("served");
      // What is wrong and what happens to it are told in the same words.
      const invalid = await check(replica);
      expect(invalid.code).toBe(2);
      const told = String((await problem("alow"))["msg"]).replace("the configuration is invalid: ", "");
      expect(invalid.output).toContain(told);

      await rm(path);
      await until(async () => (await allowed()) === "denied", { what: "it is denied" });
      await writeFile(path, `plugin: ${plugin}\nalow: [] # again\n`);
      await until(async () => (await metric(replica, "network_host_unusable_files")) === 1, { what: "it is seen" });
      // What was taken away by removing the file does not come back with a broken one, which may demand a signature.
      const isUnloaded = async (): Promise<boolean> => {
        const now = await allowed();
        expect(now).not.toBe("served");
        return now === "plugin-unavailable";
      };
      await until(isUnloaded, { what: "no component of it is loaded" });

      await writePolicy(replica, plugin, READ_WRITE);
      await until(async () => (await allowed()) === "served", { what: "it is served again" });
      await rm(path);
      await mkdir(path);
      expect(await problem("not a regular file")).toBeDefined();
      // Between the two the file was gone.
      await until(async () => (await metric(replica, "network_host_unusable_files")) === 1, { what: "it is seen" });
    });

    test("the policy folder away for a while: everything stays as it was", async () => {
      const plugin = uniqueName("away");
      await using replica = await serve(plugin);
      const folder = join(replica.folder, "policy");
      await rename(folder, `${folder}.away`);
      const record = await replica.logged(({ msg }) => String(msg).startsWith("the configuration is invalid"));
      expect(JSON.stringify(record["err"])).toContain("the policy folder cannot be read");
      expect(record["keepPolicy"]).toEqual([plugin]);
      expect((await ask(plugin, "echo", "x")).status).toBe(200);
      await writeFile(join(`${folder}.away`, `${plugin}.yaml`), JSON.stringify({ plugin, allow: [] }));
      await rename(`${folder}.away`, folder);
      await narrowed(replica, plugin, "key-value-read");
      expect((await ask(plugin, "echo", "x")).error).toBe("denied");
    });

    test("a broken consumer file: its plugins as they were, under the policies as they are", async () => {
      const plugin = uniqueName("consumer");
      await using replica = await serve(plugin);
      await replica.writeConsumer("group: broken\nplugins: [\n");
      await replica.logged(({ msg }) => String(msg).startsWith("the configuration is invalid"));
      expect((await ask(plugin, "echo", "x")).status).toBe(200);
      await writePolicy(replica, plugin, { allow: [] });
      await narrowed(replica, plugin, "key-value-write");
      expect((await ask(plugin, "echo", "x")).error).toBe("denied");
    });
  });

  describe("whichever way the file is changed", () => {
    test("in place, to the same size and with its time set back", async () => {
      const plugin = uniqueName("quiet");
      const policyOf = (levels: string): string => `plugin: ${plugin}\nallow: [${levels}]\n`;
      const folder = await mkdtemp(join(tmpdir(), "quiet-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      const path = join(folder, `${plugin}.yaml`);
      const allowing = policyOf("key-value-read, key-value-write");
      await writeFile(path, allowing);
      await utimes(path, YEARS_AGO, YEARS_AGO);
      await using replica = await serve(plugin, { args: ["--policy", folder] });
      expect((await ask(plugin, "echo", "x")).status).toBe(200);
      const before = await stat(path);
      await writeFile(path, `${policyOf("key-value-read").trimEnd()} #`.padEnd(allowing.length, "."));
      await utimes(path, YEARS_AGO, YEARS_AGO);
      const after = await stat(path);
      expect([after.ino, after.size, after.mtimeMs]).toEqual([before.ino, before.size, before.mtimeMs]);
      await narrowed(replica, plugin, "key-value-write");
      expect((await ask(plugin, "echo", "x")).error).toBe("denied");
    });

    test("as config maps are: a folder behind a link is swapped", async () => {
      const plugin = uniqueName("map");
      const policy = (allow: readonly string[]): string => JSON.stringify({ plugin, allow });
      await using replica = await serve(plugin, { policies: {} });
      const folder = join(replica.folder, "policy");
      const publish = async (version: string, files: Readonly<Record<string, string>>): Promise<void> => {
        await mkdir(join(folder, version));
        for (const [name, text] of Object.entries(files)) await writeFile(join(folder, version, name), text);
        await symlink(version, join(folder, "..data_tmp"));
        await rename(join(folder, "..data_tmp"), join(folder, "..data"));
      };
      const served = async (): Promise<boolean> => (await ask(plugin, "echo", "x")).status === 200;
      await publish("..v1", { [`${plugin}.yaml`]: policy(READ_WRITE.allow) });
      await symlink(join("..data", `${plugin}.yaml`), join(folder, `${plugin}.yaml`));
      await until(served, { what: "it is served" });
      await publish("..v2", { [`${plugin}.yaml`]: policy([]) });
      await narrowed(replica, plugin, "key-value-read");
      expect((await ask(plugin, "echo", "x")).error).toBe("denied");
      await publish("..v3", { [`${plugin}.yaml`]: policy(READ_WRITE.allow) });
      await until(served, { what: "it is served again" });
      // The key leaves the map: the link that is left leads nowhere.
      await publish("..v4", {});
      await until(async () => (await ask(plugin, "echo", "x")).error === "denied", { what: "it is denied" });
    });
  });

  test("of what a consumer file says of the replica: at once what can be, and a warning of the rest", async () => {
    const plugin = uniqueName("settings");
    const consumer = (group: string, replica: Readonly<Record<string, number>>): string =>
      consumerFile({ group, plugins: { [plugin]: COMPONENTS.gauntlet("none") }, replica });
    await using replica = await startReplica({ consumer: consumer(plugin, {}), policies: {} });
    await replica.writeConsumer(consumer("another", { concurrency: 1, drainMs: 100, eagerPlugins: 0 }));
    for (const key of ["group", "replica.eagerPlugins"]) {
      const warning = await replica.logged((record) => record["key"] === key);
      expect(warning["msg"]).toContain(`${key} was changed and takes a restart`);
    }
    await replica.logged(({ msg, key }) => msg === "setting changed" && key === "replica.drainMs");
    const pending = ask(plugin, "sleep", "20000");
    await until(async () => (await metric(replica, `network_host_in_flight{plugin="${plugin}"}`)) === 1, {
      what: "it runs",
    });
    expect((await ask(plugin, "echo", "x")).error).toBe("overloaded");
    const exit = await replica.stop();
    expect((await pending).error).toBe("draining");
    expect(exit.code).not.toBe(0);
  });
});

function error(code: (typeof HTTP_ERROR_CODES)[number]): string {
  return `error-code ${String(HTTP_ERROR_CODES.indexOf(code)).padStart(2, "0")}`;
}

async function writePolicy(replica: Replica, plugin: string, policy: object): Promise<void> {
  await replica.writePolicy(`${plugin}.yaml`, JSON.stringify({ plugin, ...policy }));
}

/** The same component under another digest, so that no cache has it: with a custom section at its end. */
async function unknownComponent(replica: Replica, source: string): Promise<string> {
  const path = join(replica.folder, "unknown.wasm");
  const name = Buffer.from(`at-${Date.now()}-${process.pid}`);
  await writeFile(path, Buffer.concat([await readFile(source), Buffer.from([0, name.length + 1, name.length]), name]));
  return path;
}

async function metric(replica: Replica, name: string): Promise<number> {
  const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
  const line = metrics.split("\n").find((text) => text.startsWith(`${name} `));
  return Number(line?.split(" ").at(-1) ?? 0);
}

/** `network-host check` on the replica's files. */
async function check(replica: Replica): Promise<{ readonly code: number; readonly output: string }> {
  const args = [
    "check",
    "--consumer",
    "consumer.yaml",
    "--policy",
    "policy",
    "--cache",
    inject("artifactCache"),
    "--json",
  ];
  const run = promisify(execFile)(process.execPath, [projectFile("src/main.ts"), ...args], { cwd: replica.folder });
  return await run.then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (failure: { code: number; stdout: string }) => ({ code: failure.code, output: failure.stdout }),
  );
}

/** Plugin → verdict, by `check`. */
async function checked(replica: Replica): Promise<Record<string, string>> {
  const { plugins } = JSON.parse((await check(replica)).output) as { plugins: { plugin: string; verdict: string }[] };
  return Object.fromEntries(plugins.map(({ plugin, verdict }) => [plugin, verdict]));
}
