import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { digestOf, shortDigest } from "../../../src/contract/digest.ts";
import { MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import { until } from "../../../scripts/lib/until.ts";
import { COMPONENTS, consumerFile, uniqueName } from "../../harness/plugins.ts";
import { startHttpServer } from "../../harness/local-server.ts";
import { type OwnRegistry, startRegistry } from "../../harness/registry.ts";
import { type Replica, type ReplicaOptions, startReplica } from "../../harness/replica.ts";
import { request } from "../../harness/request.ts";
import { run } from "../../unit/cli/run.ts";

const ECHO = shortDigest(digestOf(await readFile(COMPONENTS.echo)));
const GAUNTLET = shortDigest(digestOf(await readFile(COMPONENTS.gauntlet("none"))));

async function digestOfFile(path: string): Promise<string> {
  return digestOf(await readFile(path));
}

describe("a replica whose component is in a registry", () => {
  let nats: NatsConnection;
  let registry: OwnRegistry;
  let cache: string;
  let plugin: string;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });
  afterAll(() => nats.close());
  beforeEach(async () => {
    registry = await startRegistry();
    cache = await mkdtemp(join(tmpdir(), "registry-cache-"));
    plugin = uniqueName("remote");
  });
  afterEach(async () => {
    await registry[Symbol.asyncDispose]();
    await rm(cache, { recursive: true, force: true });
  });

  /** Returns what was printed: the reference by digest. */
  async function push(file: string, tag = "1.0.0"): Promise<string> {
    const reference = `oci://${registry.host}/plugins/echo:${tag}`;
    const { code, stdout, stderr } = await run(["push", file, reference, "--registry-plain-http", registry.host]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    return stdout.split("\n")[0] ?? "";
  }

  function serve(component = `oci://${registry.host}/plugins/echo:1.0.0`, options: Partial<ReplicaOptions> = {}) {
    return startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: component } }),
      policies: {},
      args: ["--registry-plain-http", registry.host, "--registry-check", "1s", "--cache", cache],
      ...options,
    });
  }

  const loaded = (replica: Replica, digest: string) =>
    replica.logged((entry) => entry["msg"] === "plugin loaded" && entry["digest"] === digest);
  const ask = async (text: string) => (await request(nats, `rpc.${plugin}.echo`, text)).text;

  test("serves it, names its own digest, and serves what the tag stands for later", async () => {
    const pinned = await push(COMPONENTS.echo);
    await using replica = await serve();
    const resolved = await replica.logged(({ msg }) => msg === "reference resolved");
    expect(resolved).toMatchObject({ digest: ECHO, reference: `oci://${registry.host}/plugins/echo:1.0.0` });
    expect(pinned).toContain(String(resolved["manifest"]));
    await loaded(replica, ECHO);
    expect(await ask("hello")).toBe("hello");

    await push(COMPONENTS.gauntlet("none"));
    const changed = await replica.logged(({ msg }) => msg === "the tag stands for another component");
    expect(changed).toMatchObject({ digest: GAUNTLET, before: ECHO });
    await loaded(replica, GAUNTLET);
  });

  test("does not load a component again that was pushed again", async () => {
    await push(COMPONENTS.echo);
    await using replica = await serve();
    await push(COMPONENTS.echo);
    await replica.logged(({ msg }) => msg === "the same component was pushed again");
    await push(COMPONENTS.gauntlet("none"));
    await loaded(replica, GAUNTLET);
    expect(replica.records.filter(({ msg }) => msg === "plugin loaded")).toHaveLength(2);
  });

  test("starts from its cache when the registry is gone, by tag and by digest, and follows the tag when it is back", async () => {
    const pinned = await push(COMPONENTS.echo);
    for (const component of [undefined, pinned]) {
      await using first = await serve(component);
      await loaded(first, ECHO);
      await first.stop();
    }
    await registry.kill();
    {
      await using byDigest = await serve(pinned);
      await loaded(byDigest, ECHO);
      expect(await ask("by digest")).toBe("by digest");
    }
    await using byTag = await serve();
    await loaded(byTag, ECHO);
    expect(await ask("by tag")).toBe("by tag");
    const failed = await byTag.logged(({ msg }) => String(msg).startsWith("the registry cannot be asked"));
    expect(failed).toMatchObject({ err: { code: "registry-unreachable" }, digest: ECHO });
    await registry.restart();
    await byTag.logged(({ msg }) => msg === "the registry can be asked again");
    await push(COMPONENTS.gauntlet("none"));
    await loaded(byTag, GAUNTLET);
    expect(byTag.records.filter(({ msg }) => String(msg).startsWith("the registry cannot be asked"))).toHaveLength(1);
  });

  test("starts from its cache when the registry accepts connections and says nothing", async () => {
    await push(COMPONENTS.echo);
    {
      await using first = await serve();
      await loaded(first, ECHO);
    }
    await registry.pause();
    await using replica = await serve();
    expect(await ask("silent registry")).toBe("silent registry");
    await registry.resume();
    await replica.logged(({ msg }) => msg === "the registry can be asked again");
  });

  test("without a cached component answers with an error, and serves as soon as the registry has the component", async () => {
    await using replica = await serve(undefined, { waitFor: "process" });
    const failed = await replica.logged(({ msg }) => String(msg).startsWith("the plugin cannot be loaded now"));
    expect(failed).toMatchObject({ plugin, err: { code: "registry-not-found" } });
    expect(failed["component"]).toBe(`oci://${registry.host}/plugins/echo:1.0.0`);
    await push(COMPONENTS.echo);
    await loaded(replica, ECHO);
    expect(await ask("at last")).toBe("at last");
  });

  test("fetches a component again that was changed in its cache folder", async () => {
    await push(COMPONENTS.echo);
    {
      await using first = await serve();
      await loaded(first, ECHO);
    }
    const folder = join(cache, "components");
    const name = (await readdir(folder)).find((entry) => entry.endsWith(".wasm")) ?? "";
    const bytes = await readFile(join(folder, name));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff;
    await writeFile(join(folder, name), bytes);
    await using replica = await serve();
    const alarm = await replica.logged(({ err }) => (err as { code?: string } | undefined)?.code === "load-failed");
    expect(alarm).toMatchObject({ err: { message: expect.stringContaining("was changed in the cache folder") } });
    await loaded(replica, ECHO);
    expect(digestOf(await readFile(join(folder, name)))).toBe(name.replace(".wasm", ""));
  });

  test("serves no component that the policy does not name, and the old one until it does", async () => {
    await push(COMPONENTS.echo);
    const [echo, gauntlet] = await Promise.all([COMPONENTS.echo, COMPONENTS.gauntlet("none")].map(digestOfFile));
    const policy = (...digests: readonly (string | undefined)[]) => JSON.stringify({ plugin, digest: digests });
    const policies = { [`${plugin}.yaml`]: policy(`sha256:${echo}`) };
    await using replica = await serve(undefined, { policies });
    await loaded(replica, ECHO);
    await push(COMPONENTS.gauntlet("none"));
    const refused = await replica.logged(({ msg }) => String(msg).startsWith("the new version is refused"));
    expect(refused).toMatchObject({ plugin, err: { code: "digest-not-allowed" } });
    expect(await ask("still")).toBe("still");
    await replica.writePolicy(`${plugin}.yaml`, policy(`sha256:${echo}`, `sha256:${gauntlet}`));
    await loaded(replica, GAUNTLET);
    await replica.writePolicy(`${plugin}.yaml`, policy(`sha256:${echo}`));
    const narrowed = await replica.logged(({ msg }) => String(msg).startsWith("permissions were narrowed"));
    expect(narrowed["taken"]).toEqual([`the component ${GAUNTLET}`]);
    expect((await request(nats, `rpc.${plugin}.echo`, "x")).error).toMatch(/^(denied|plugin-unloadable)$/);
  });

  test("reads the tag at once when it is told to reload", async () => {
    await push(COMPONENTS.echo);
    const args = ["--registry-plain-http", registry.host, "--registry-check", "10m", "--cache", cache];
    await using replica = await serve(undefined, { args });
    await push(COMPONENTS.gauntlet("none"));
    replica.signal("SIGHUP");
    await loaded(replica, GAUNTLET);
  });

  test("stops cleanly while a registry sends a component byte by byte", async () => {
    let isSending = false;
    await using slow = await startHttpServer(({ url = "" }, response) => {
      const config = { mediaType: MEDIA_TYPES.empty, digest: `sha256:${digestOf("{}")}`, size: 2 };
      const layer = { mediaType: MEDIA_TYPES.wasm, digest: `sha256:${digestOf("component")}`, size: 1_000_000 };
      if (url.includes("/manifests/")) {
        response.end(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }));
        return;
      }
      isSending = true;
      const sending = setInterval(() => response.write("x"), 100);
      response.on("close", () => clearInterval(sending));
    });
    const stuck = uniqueName("stuck");
    const plugins = {
      [plugin]: COMPONENTS.gauntlet("none"),
      [stuck]: `oci://${slow.authority}/plugins/stuck:1.0.0`,
    };
    const drainMs = 30_000;
    await using replica = await serve(undefined, {
      consumer: consumerFile({ group: plugin, plugins, replica: { drainMs } }),
      args: ["--registry-plain-http", slow.authority, "--cache", cache],
      waitFor: "process",
    });
    const isServed = async () =>
      (await request(nats, `rpc.${plugin}.sleep`, "1").catch(() => undefined))?.status === 200;
    await until(isServed, { what: "the other plugin is served" });
    await until(() => isSending, { what: "the component begins to arrive" });
    const pending = request(nats, `rpc.${plugin}.sleep`, "2000");
    const short = request(nats, `rpc.${plugin}.sleep`, "1");
    // The one that was sent before it is running then.
    await short;
    const beginMs = performance.now();
    const { code } = await replica.stop();
    expect(code).toBe(0);
    expect(performance.now() - beginMs).toBeLessThan(drainMs);
    expect((await pending).status).toBe(200);
    expect(replica.records.filter(({ level }) => level === "error")).toEqual([]);
  });
});
