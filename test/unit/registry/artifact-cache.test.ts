import { chmod, mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CompiledArtifact } from "../../../src/contract/artifact.ts";
import { digestOf } from "../../../src/contract/digest.ts";
import { ArtifactCache } from "../../../src/registry/artifact-cache.ts";
import { artifactOf, TEST_ENGINE as ENGINE } from "../../harness/artifacts.ts";

const digest = digestOf("a component");

let directory: string;
let cache: ArtifactCache;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "network-host-cache-"));
  cache = await ArtifactCache.open(directory, { engine: ENGINE });
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const artifact = (bytes = 4): CompiledArtifact => artifactOf("a component", bytes);

const inArtifact = (name: string): string => join(directory, ENGINE, digest, name);

/** What lies in the cache's folder besides artifacts and levels. */
async function leftovers(): Promise<string[]> {
  return (await readdir(join(directory, ENGINE))).filter((name) => name.startsWith("tmp-"));
}

test.each([0o770, 0o707])(
  "a cache folder that others may write to (mode %o) is refused: they could forge artifacts",
  async (mode) => {
    await chmod(join(directory, ENGINE), mode);
    await expect(ArtifactCache.open(directory, { engine: ENGINE })).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringContaining("can be written to by other users"),
    });
  },
);

describe("an artifact", () => {
  test("that was never stored is a miss", async () => {
    expect(await cache.get(digest)).toEqual({ kind: "miss" });
  });

  test("is found as it was stored, by another replica too", async () => {
    const stored = await cache.put(artifact());
    expect(stored).toEqual({ directory: join(directory, ENGINE, digest), manifest: artifact().manifest });
    const other = await ArtifactCache.open(directory, { engine: ENGINE });
    expect(await other.get(digest)).toEqual({ kind: "hit", artifact: stored });
    expect(await leftovers()).toEqual([]);
  });

  test("of another engine is not found, and cannot be stored", async () => {
    await cache.put(artifact());
    const upgraded = await ArtifactCache.open(directory, { engine: "test-2" });
    expect(await upgraded.get(digest)).toEqual({ kind: "miss" });
    await expect(upgraded.put(artifact())).rejects.toMatchObject({ code: "internal" });
  });

  test("that many replicas store at a time is there once, whole", async () => {
    const replicas = await Promise.all(
      Array.from({ length: 8 }, () => ArtifactCache.open(directory, { engine: ENGINE })),
    );
    const stored = await Promise.all(replicas.map((replica, index) => replica.put(artifact(index))));
    const found = await cache.get(digest);
    if (found.kind !== "hit") throw new Error(`it is a ${found.kind}`);
    for (const one of stored) expect(one.manifest).toEqual(found.artifact.manifest);
    expect(await leftovers()).toEqual([]);
  });
});

describe("an artifact that was tampered with", () => {
  beforeEach(async () => {
    await cache.put(artifact());
  });

  test.each<[string, () => Promise<void>, string]>([
    [
      "a file is edited",
      () => writeFile(inArtifact("component.js"), "export {};"),
      "component.js is not what was stored",
    ],
    ["a file is missing", () => rm(inArtifact("component.core.wasm")), "component.core.wasm is missing"],
    ["a file is added", () => writeFile(inArtifact("extra.js"), ""), 'the file "extra.js"'],
    ["the manifest is not JSON", () => writeFile(inArtifact("manifest.json"), "{"), "not JSON"],
    ["the manifest is missing", () => rm(inArtifact("manifest.json")), "no manifest"],
    ["the manifest has a path in it", () => editManifest({ entry: "../../x.js" }), "not valid"],
    ["the manifest has an unknown field", () => editManifest({ extra: 1 }), "not valid"],
    ["the manifest is of another component", () => editManifest({ digest: digestOf("other") }), "another component"],
    ["the manifest is of another engine", () => editManifest({ engine: "other" }), "another engine"],
  ])("is reported and removed when %s, and can be stored anew", async (_what, tamper, reason) => {
    await tamper();
    expect(await cache.get(digest)).toEqual({ kind: "corrupt", reason: expect.stringContaining(reason) });
    expect(await cache.get(digest)).toEqual({ kind: "miss" });
    await cache.put(artifact());
    expect((await cache.get(digest)).kind).toBe("hit");
    expect(await leftovers()).toEqual([]);
  });

  test("is replaced by a store that finds it in its place", async () => {
    await writeFile(inArtifact("component.js"), "edited");
    await cache.put(artifact());
    expect((await cache.get(digest)).kind).toBe("hit");
  });

  async function editManifest(change: object): Promise<void> {
    await writeFile(inArtifact("manifest.json"), JSON.stringify({ ...artifact().manifest, ...change }));
  }
});

describe("the levels that a component asked for", () => {
  test("are unknown until they are written", async () => {
    expect(await cache.readLevels(digest)).toBeUndefined();
    expect(await cache.writeLevels(digest, 3)).toBe(3);
    expect(await cache.readLevels(digest)).toBe(3);
  });

  test("are those of the first answer, whoever comes later", async () => {
    const answers = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((levels) => cache.writeLevels(digest, levels)));
    const first = await cache.readLevels(digest);
    expect(new Set(answers)).toEqual(new Set([first]));
    expect(await leftovers()).toEqual([]);
  });

  test.each(["", "8", "-1", "1.5", "x"])("are asked for again where the file holds %j", async (text) => {
    await writeFile(join(directory, ENGINE, `${digest}.levels`), text);
    expect(await cache.readLevels(digest)).toBeUndefined();
    expect(await cache.writeLevels(digest, 5)).toBe(5);
    expect(await cache.readLevels(digest)).toBe(5);
  });
});

describe("opening a cache", () => {
  test("removes what a crashed process left long ago, and nothing that may be in use", async () => {
    const [old, fresh] = ["tmp-old", "tmp-fresh"].map((name) => join(directory, ENGINE, name)) as [string, string];
    await mkdir(old);
    await mkdir(fresh);
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(old, longAgo, longAgo);
    await ArtifactCache.open(directory, { engine: ENGINE });
    expect(await leftovers()).toEqual(["tmp-fresh"]);
  });

  test("fails with a code where the folder is a file", async () => {
    const path = join(directory, "file");
    await writeFile(path, "");
    await expect(ArtifactCache.open(path, { engine: ENGINE })).rejects.toMatchObject({ code: "usage-invalid" });
  });

  test("finds artifacts after the folder has moved", async () => {
    await cache.put(artifact());
    const moved = `${directory}-moved`;
    await rename(directory, moved);
    try {
      expect((await (await ArtifactCache.open(moved, { engine: ENGINE })).get(digest)).kind).toBe("hit");
    } finally {
      await rename(moved, directory);
    }
  });
});
