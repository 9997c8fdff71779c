import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { ArtifactCache } from "../../../src/registry/artifact-cache.ts";
import { ComponentStore } from "../../../src/registry/component-store.ts";
import { agePastUse, artifactOf, TEST_ENGINE } from "../../harness/artifacts.ts";
import { run } from "./run.ts";

const ECHO = "examples/echo-c/echo.wasm";
const TRAP = "test/components/probe-trap.wasm";
const MIB = 1024 ** 2;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "network-host-cli-cache-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** An artifact of 1 MiB, in use, or unused for that long. */
async function store(name: string, unusedMs?: number): Promise<string> {
  await using cache = await ArtifactCache.open(folder, { engine: TEST_ENGINE });
  const { directory } = await cache.put(artifactOf(name, MIB));
  if (unusedMs !== undefined) await agePastUse(directory, unusedMs);
  return directory;
}

async function cacheJson(...args: readonly string[]): Promise<unknown> {
  const { code, stdout } = await run(["cache", ...args, "--json"], { env: { CACHE_DIR: folder } });
  return [code, JSON.parse(stdout)];
}

async function digests(): Promise<readonly string[]> {
  return (await readdir(join(folder, TEST_ENGINE))).sort((a, b) => a.localeCompare(b));
}

describe("cache list", () => {
  test("shows what is kept, used last first, and what is in use", async () => {
    await store("old", 5_000);
    await store("new");
    expect(await cacheJson("list")).toEqual([
      0,
      {
        directory: folder,
        bytes: expect.any(Number),
        components: [],
        artifacts: [
          expect.objectContaining({ digest: digestOf("new"), engine: TEST_ENGINE, inUse: true }),
          expect.objectContaining({ digest: digestOf("old"), bytes: expect.any(Number), inUse: false }),
        ],
      },
    ]);
    const { code, stdout } = await run(["cache", "list", "--cache", folder]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^DIGEST +SIZE +LAST USED +ENGINE\n/);
    expect(stdout).toMatch(new RegExp(`^${digestOf("new")}  1\\.0 MiB  in use +${TEST_ENGINE}$`, "m"));
    expect(stdout).toContain(`${folder}: 2 compiled components, 2.0 MiB`);
  });

  test("shows what was pulled from registries, what stands for it, and whether a consumer file names it", async () => {
    const components = await ComponentStore.open(folder);
    const digest = digestOf("pulled");
    const other = digestOf("other");
    for (const each of [digest, other]) await writeFile(join(components.folder, `${each}.wasm`), Buffer.alloc(MIB));
    const tagged = (tag: string) => ({ host: "a.example", repository: "echo", tag, digest: undefined });
    const record = { manifest: digestOf("manifest"), etag: undefined, component: digest, size: MIB };
    for (const tag of ["2", "1"]) await components.point(tagged(tag), record);
    const consumerFile = join(folder, "consumer.yaml");
    await writeFile(consumerFile, "");
    await components.name(consumerFile, [tagged("1")]);

    const references = ["oci://a.example/echo:1", "oci://a.example/echo:2"];
    const listed = [
      { digest, bytes: MIB, references, named: true },
      { digest: other, bytes: MIB, references: [], named: false },
    ].sort((a, b) => a.digest.localeCompare(b.digest));
    expect(await cacheJson("list")).toMatchObject([0, { artifacts: [], components: listed }]);
    const { stdout } = await run(["cache", "list", "--cache", folder]);
    expect(stdout).toMatch(/^PULLED +SIZE +NAMED +REFERENCES\n/m);
    expect(stdout).toContain(`${digest}  1.0 MiB  yes    ${references.join(" ")}\n`);
    expect(stdout).toContain(`${other}  1.0 MiB  no     -\n`);
    expect(stdout).toMatch(/\n2 pulled components, 2\.0 MiB\n$/);
  });

  test("shows an empty cache where there is no folder, and makes none", async () => {
    const missing = join(folder, "missing");
    const { code, stdout } = await run(["cache", "list", "--cache", missing]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("0 compiled components")]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("cache prune", () => {
  test("removes what was used longest ago, down to the size given", async () => {
    for (const [name, ms] of Object.entries({ a: 3_000, b: 2_000, c: 1_000 })) await store(name, ms);
    expect(await cacheJson("prune", "--cache-bytes", "2200KiB")).toMatchObject([
      0,
      { removed: 1, stuck: 0, left: { artifacts: 2 } },
    ]);
    expect(await digests()).toEqual([digestOf("b"), digestOf("c")].sort((a, b) => a.localeCompare(b)));
    expect(await cacheJson("prune")).toMatchObject([0, { removed: 0 }]);
  });
});

describe("cache clear", () => {
  test("removes everything but what is in use, and that too with --force", async () => {
    await store("unused", 0);
    await store("used");
    expect(await cacheJson("clear")).toMatchObject([0, { removed: 1, left: { artifacts: 1 } }]);
    expect(await digests()).toEqual([digestOf("used")]);
    expect(await cacheJson("clear", "--force")).toMatchObject([0, { removed: 1, left: { artifacts: 0, bytes: 0 } }]);
    expect(await readdir(folder)).toEqual([]);
  });
});

test.each([
  [["cache"], "missing required argument 'action'"],
  [["cache", "empty"], "Allowed choices are list, prune, clear"],
  [["cache", "list", "--force"], "--force is an option of clear"],
  [["cache", "prune", "--cache-bytes", "much"], '--cache-bytes "much": write a size'],
  [["compile"], "missing required argument 'component'"],
])("%j is wrong usage", async (args, message) => {
  const { code, stderr } = await run(args, { env: { CACHE_DIR: folder } });
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

describe("compile", () => {
  test("fills the cache with artifact and levels, so that nothing is compiled or asked for later", async () => {
    const { code, stdout, stderr } = await run(["compile", ECHO, "--cache", folder]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^compiled {2}[0-9a-f]{64} {2}examples\/echo-c\/echo\.wasm\n$/);
    const [engine = ""] = await readdir(folder);
    const names = await readdir(join(folder, engine));
    expect(new Set(names.map((name) => name.replace(/^[0-9a-f]{64}/, "D")))).toEqual(new Set(["D", "D.levels"]));
  });

  test("says which component was refused, and compiles the others", async () => {
    const { code, stdout } = await run(["compile", TRAP, ECHO, "--cache", folder, "--json"]);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      { ok: false, components: [{ error: { code: "probe-failed" } }, { error: null, digest: expect.any(String) }] },
    ]);
  });

  test("fails with 2 for a file that is not there, and for a folder that cannot be a cache", async () => {
    const missing = await run(["compile", join(folder, "none.wasm"), "--cache", folder]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("component-unreadable")]);
    const { code, stderr } = await run(["compile", ECHO, "--cache", join(ECHO, "cache")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the artifact cache could not be opened")]);
  });
});

test("inspect works where the cache cannot be written, and leaves nothing behind", async () => {
  await chmod(folder, 0o711);
  const env = { CACHE_DIR: "/sys/network-host-cache", TMPDIR: folder };
  const { TMPDIR: before } = process.env;
  process.env["TMPDIR"] = folder;
  try {
    const { code, stdout, stderr } = await run(["inspect", ECHO, "--json"], { env });
    expect([code, stderr, JSON.parse(stdout)]).toMatchObject([0, "", { plugin: "echo", error: null }]);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
  expect(await readdir(folder)).toEqual([]);
});
