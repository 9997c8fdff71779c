import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { ArtifactCache } from "../../../src/registry/artifact-cache.ts";
import { artifactOf, TEST_ENGINE } from "../../harness/artifacts.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "network-host-disk-"));
});
afterEach(() => rm(root, { recursive: true }));

test("on a disk that is full room is made, else a temporary folder takes what is new, as on a read-only one", async () => {
  const script = 'mount -t tmpfs -o size=1m,mode=700 none "$1" && exec "$2" "$3" "$1"';
  const fixture = "test/fixtures/cache-on-small-disk.ts";
  const args = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", root, process.execPath, fixture];
  const { stdout } = await promisify(execFile)("unshare", args);
  expect(JSON.parse(stdout)).toEqual({
    told: ["fell back: ENOSPC", "evicted 1", "recovered", "fell back: EROFS"],
    steps: [
      "a: cache",
      "b: cache",
      "c: temporary",
      true,
      "d: cache",
      false,
      "e: temporary",
      true,
      3,
      "hit",
      expect.stringContaining("EROFS"),
    ],
    kinds: ["miss", "hit", "hit", "hit", "hit"],
    isTemporaryGone: true,
  });
});

test("where the cache folder cannot even be made, a temporary one is in its place until the end", async () => {
  const reasons: string[] = [];
  // Nobody may make folders there, whoever they are.
  const cache = await ArtifactCache.open("/sys/network-host-cache", {
    engine: TEST_ENGINE,
    events: {
      fellBack: (_directory, reason) => void reasons.push(reason),
      recovered: () => expect.unreachable(),
      evicted: () => expect.unreachable(),
    },
  });
  expect([cache.isFallenBack, reasons]).toEqual([
    true,
    [expect.stringMatching(/^E[A-Z]+: .*\/sys\/network-host-cache/)],
  ]);
  expect((await stat(cache.directory)).mode & 0o777).toBe(0o700);
  await cache.put(artifactOf("a"));
  expect((await cache.get(digestOf("a"))).kind).toBe("hit");
  await cache[Symbol.asyncDispose]();
  await expect(stat(cache.directory)).rejects.toMatchObject({ code: "ENOENT" });
});
