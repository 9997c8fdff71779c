import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { ArtifactCache } from "../../../src/registry/artifact-cache.ts";
import { isInUse } from "../../../src/registry/artifact-marks.ts";
import { listArtifacts, type StoredArtifact } from "../../../src/registry/cache-contents.ts";
import { type Eviction, selectEvictions } from "../../../src/registry/cache-room.ts";
import { agePastUse, artifactOf, TEST_ENGINE } from "../../harness/artifacts.ts";

const KIB = 1024;

let root: string;
let evictions: Eviction[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "network-host-room-"));
  evictions = [];
});
afterEach(() => rm(root, { recursive: true }));

function open(maxBytes: number, engine = TEST_ENGINE): Promise<ArtifactCache> {
  const events = {
    fellBack: (_directory: string, reason: string) => expect.unreachable(reason),
    recovered: () => undefined,
    evicted: (eviction: Eviction) => void evictions.push(eviction),
  };
  return ArtifactCache.open(root, { engine, maxBytes, events });
}

/** Stores an artifact of 100 KiB that nobody has used since, for that long beyond what counts as use. */
async function storeUnused(cache: ArtifactCache, name: string, unusedMs: number, engine = TEST_ENGINE): Promise<void> {
  const { directory } = await cache.put(artifactOf(name, 100 * KIB, engine));
  await agePastUse(directory, unusedMs);
}

async function kept(): Promise<readonly string[]> {
  const names = ["a", "b", "c", "d", "e"];
  const digests = new Set((await listArtifacts(root)).map(({ digest }) => digest));
  return names.filter((name) => digests.has(digestOf(name)));
}

describe("a cache with a bound", () => {
  test("removes what was used longest ago when more is stored, with the levels of its component", async () => {
    const cache = await open(350 * KIB);
    await storeUnused(cache, "a", 2_000);
    await storeUnused(cache, "b", 3_000);
    await cache.writeLevels(digestOf("b"), 1);
    await storeUnused(cache, "c", 1_000);
    expect([await kept(), evictions]).toEqual([["a", "b", "c"], []]);
    await cache.put(artifactOf("d", 100 * KIB));
    expect(await kept()).toEqual(["a", "c", "d"]);
    expect(evictions).toEqual([{ artifacts: 1, bytes: expect.any(Number), stuck: 0 }]);
    expect(await cache.readLevels(digestOf("b"))).toBeUndefined();
    expect(await cache.find(digestOf("b"))).toEqual({ kind: "miss" });
    expect((await cache.get(digestOf("a"))).kind).toBe("hit");
    expect((await readdir(join(root, TEST_ENGINE))).filter((name) => name.startsWith("tmp-"))).toEqual([]);
  });

  test("keeps what this or another replica has looked up since, whatever its bound", async () => {
    const cache = await open(150 * KIB);
    await storeUnused(cache, "a", 9_000);
    const other = await open(150 * KIB);
    expect((await other.find(digestOf("a"))).kind).toBe("hit");
    await cache.put(artifactOf("b", 100 * KIB));
    await cache.put(artifactOf("c", 100 * KIB));
    expect(await kept()).toEqual(["a", "b", "c"]);
  });

  test("removes those of another engine, and the folder that is empty then", async () => {
    await storeUnused(await open(350 * KIB, "test-0"), "a", 0, "test-0");
    const cache = await open(250 * KIB);
    for (const name of ["b", "c"]) await cache.put(artifactOf(name, 100 * KIB));
    expect([await kept(), await readdir(root)]).toEqual([["b", "c"], [TEST_ENGINE]]);
  });

  test("stores on where its folder was removed by somebody", async () => {
    const cache = await open(350 * KIB);
    await rm(join(root, TEST_ENGINE), { recursive: true });
    await cache.put(artifactOf("a"));
    expect(await cache.writeLevels(digestOf("a"), 3)).toBe(3);
    expect((await cache.get(digestOf("a"))).kind).toBe("hit");
    expect((await stat(join(root, TEST_ENGINE))).mode & 0o777).toBe(0o700);
  });

  test("leaves alone what only looks like an artifact", async () => {
    const cache = await open(150 * KIB);
    const foreign = [join(root, "photos", "2026"), join(root, "photos", digestOf("photo"))];
    for (const folder of foreign) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "one.jpeg"), Buffer.alloc(100 * KIB));
      await agePastUse(folder);
    }
    await storeUnused(cache, "a", 0);
    await cache.put(artifactOf("b", 100 * KIB));
    expect(await kept()).toEqual(["b"]);
    for (const folder of foreign) expect(await readdir(folder)).toEqual(["one.jpeg"]);
  });
});

describe("an artifact that a replica holds", () => {
  afterEach(() => vi.useRealTimers());

  test("is marked again before its mark is too old, until it is released", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const cache = await open(KIB);
    const artifact = await cache.put(artifactOf("a", 100 * KIB));
    const twice = [cache.hold(artifact), cache.hold(artifact)] as const;
    const marked = async (): Promise<boolean> => isInUse((await stat(artifact.directory)).mtimeMs);
    const long = new Date(0);
    await utimes(artifact.directory, long, long);
    vi.advanceTimersByTime(FIXED_LIMITS.cacheKeepMs / 2);
    await expect.poll(marked).toBe(true);
    twice[0]();
    twice[0]();
    await utimes(artifact.directory, long, long);
    vi.advanceTimersByTime(FIXED_LIMITS.cacheKeepMs / 2);
    await expect.poll(marked).toBe(true);
    twice[1]();
    await utimes(artifact.directory, long, long);
    vi.advanceTimersByTime(FIXED_LIMITS.cacheKeepMs);
    await cache[Symbol.asyncDispose]();
    expect(await marked()).toBe(false);
  });
});

test("what is removed is never in use, is never used later than what stays, and is no more than it takes", () => {
  const nowMs = 1e12;
  const artifact = fc.record({ bytes: fc.integer({ min: 1, max: 9 }), agoMs: fc.integer({ min: 0, max: 4e6 }) });
  fc.assert(
    fc.property(fc.array(artifact), fc.integer({ min: -5, max: 60 }), (drawn, bytes) => {
      const all = drawn.map(({ bytes: size, agoMs }): StoredArtifact => {
        return { directory: "/", engine: "e", digest: digestOf(""), bytes: size, usedMs: nowMs - agoMs };
      });
      const gone = selectEvictions(all, bytes, nowMs);
      const free = all.filter(({ usedMs }) => !isInUse(usedMs, nowMs));
      const sum = (some: readonly StoredArtifact[]): number => some.reduce((total, one) => total + one.bytes, 0);
      const stays = free.filter((one) => !gone.includes(one));
      expect(gone.every((one) => free.includes(one))).toBe(true);
      expect(Math.max(0, ...gone.map(({ usedMs }) => usedMs))).toBeLessThanOrEqual(
        Math.min(nowMs, ...stays.map(({ usedMs }) => usedMs)),
      );
      expect(sum(gone) >= bytes || stays.length === 0).toBe(true);
      expect(gone.length === 0 || sum(gone.slice(0, -1)) < bytes).toBe(true);
    }),
  );
});
