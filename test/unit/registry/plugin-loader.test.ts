import { mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { specOf } from "../../../src/cli/examination.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { ThreadShares } from "../../../src/fairness/thread-shares.ts";
import { denyAll } from "../../../src/policy/create-policy.ts";
import { ArtifactCache } from "../../../src/registry/artifact-cache.ts";
import { isInUse } from "../../../src/registry/artifact-marks.ts";
import { listArtifacts } from "../../../src/registry/cache-contents.ts";
import { evict } from "../../../src/registry/cache-room.ts";
import { PluginLoader } from "../../../src/registry/plugin-loader.ts";
import { ReadContents } from "../../../src/registry/read-contents.ts";
import { UNCONFINED } from "../../../src/supervisor/sandbox/confinement.ts";

const IGNORE = (): void => undefined;
const RUNNER_EVENTS = {
  started: IGNORE,
  counted: IGNORE,
  stopped: IGNORE,
  ended: IGNORE,
  startFailed: IGNORE,
  restarted: IGNORE,
  circuitOpened: IGNORE,
  circuitClosed: IGNORE,
};

/** Of registries there are none here. */
const NO_COMPONENTS = {
  obtain: () => Promise.reject(new Error("no registry")),
  discard: () => Promise.resolve(),
  recheck: IGNORE,
  giveUp: IGNORE,
  signers: () => Promise.reject(new Error("no registry")),
};

let root: string;
let compiled = 0;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  root = await mkdtemp(join(tmpdir(), "network-host-loader-"));
  compiled = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(root, { recursive: true });
});

test("a cold plugin's artifact is in use until its version is closed, and is made anew if it goes all the same", async () => {
  await using cache = await ArtifactCache.open(root);
  const events = { compiled: () => void compiled++, artifactCorrupt: IGNORE, runner: () => RUNNER_EVENTS };
  const loader = new PluginLoader(cache, events, {
    engine: "auto",
    confinement: UNCONFINED,
    shares: new ThreadShares(),
    contents: new ReadContents(),
    components: NO_COMPONENTS,
  });
  const name = "echo" as PluginName;
  const spec = specOf(name, resolve("examples/echo-c/echo.wasm"), denyAll(name));
  const version = await loader.load({ ...spec, start: "on-demand" });
  const directory = join(root, version.parts.manifest.engine, version.parts.digest);
  const isMarked = async (): Promise<boolean> => isInUse((await stat(directory)).mtimeMs);
  await utimes(directory, 0, 0);
  vi.advanceTimersByTime(FIXED_LIMITS.cacheKeepMs / 2);
  await expect.poll(isMarked).toBe(true);

  expect(await evict(await listArtifacts(root))).toMatchObject({ artifacts: 1, stuck: 0 });
  await version.parts.runner?.open();
  expect([compiled, (await cache.get(version.parts.digest)).kind]).toEqual([2, "hit"]);

  await version.close();
  await utimes(directory, 0, 0);
  vi.advanceTimersByTime(FIXED_LIMITS.cacheKeepMs * 2);
  await cache[Symbol.asyncDispose]();
  expect(await isMarked()).toBe(false);
});
