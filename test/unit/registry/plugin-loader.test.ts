import { mkdtemp, readFile, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { specOf } from "../../../src/cli/examination.ts";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { ThreadShares } from "../../../src/fairness/thread-shares.ts";
import { denyAll } from "../../../src/policy/create-policy.ts";
import { ArtifactCache } from "../../../src/registry/artifact-cache.ts";
import { isInUse } from "../../../src/registry/artifact-marks.ts";
import { listArtifacts } from "../../../src/registry/cache-contents.ts";
import { evict } from "../../../src/registry/cache-room.ts";
import { PluginLoader, type PluginLoaderOptions } from "../../../src/registry/plugin-loader.ts";
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
  isVerified: () => Promise.resolve(false),
  doubt: IGNORE,
  discard: () => Promise.resolve(),
  recheck: IGNORE,
  giveUp: IGNORE,
  signers: () => Promise.reject(new Error("no registry")),
};

const ECHO = resolve("examples/echo-c/echo.wasm");

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

function loaderOf(cache: ArtifactCache, components: PluginLoaderOptions["components"]): PluginLoader {
  const events = { compiled: () => void compiled++, artifactCorrupt: IGNORE, runner: () => RUNNER_EVENTS };
  return new PluginLoader(cache, events, {
    engine: "auto",
    confinement: UNCONFINED,
    shares: new ThreadShares(),
    contents: new ReadContents(),
    components,
  });
}

test("a cold plugin's artifact is in use until its version is closed, and is made anew if it goes all the same", async () => {
  await using cache = await ArtifactCache.open(root);
  const loader = loaderOf(cache, NO_COMPONENTS);
  const name = "echo" as PluginName;
  const spec = specOf(name, ECHO, denyAll(name));
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

describe("a component of a registry", () => {
  const name = "echo" as PluginName;
  const reference = { host: "registry.test", repository: "echo", tag: "1", digest: undefined };
  const spec = { ...specOf(name, ECHO, denyAll(name)), reference };
  const BEFORE = digestOf("what the tag stood for before");

  /** The registry's components are these, one after another. */
  function componentsOf(...digests: readonly Digest[]) {
    const left = [...digests];
    const seen = { discarded: [] as Digest[], gaveUp: 0 };
    const components = {
      ...NO_COMPONENTS,
      obtain: () => Promise.resolve(left.shift() ?? BEFORE),
      discard: (_: unknown, digest: Digest) => Promise.resolve(void seen.discarded.push(digest)),
      giveUp: () => void seen.gaveUp++,
    };
    return { components, seen };
  }

  test("that another one takes the place of between two looks is not taken for one that was changed", async () => {
    await using cache = await ArtifactCache.open(root);
    const now = digestOf(await readFile(ECHO));
    const { components, seen } = componentsOf(BEFORE, now);
    expect(await loaderOf(cache, components).digest(spec)).toBe(now);
    expect(seen.discarded).toEqual([]);
  });

  test("that was changed is discarded", async () => {
    await using cache = await ArtifactCache.open(root);
    const { components, seen } = componentsOf(BEFORE, BEFORE);
    await expect(loaderOf(cache, components).digest(spec)).rejects.toMatchObject({ code: "load-failed" });
    expect(seen.discarded).toEqual([BEFORE]);
  });

  test("that was hashed when it was fetched is not read again to know its digest", async () => {
    await using cache = await ArtifactCache.open(root);
    const { components } = componentsOf(BEFORE);
    const loader = loaderOf(cache, { ...components, isVerified: () => Promise.resolve(true) });
    expect(await loader.digest({ ...spec, componentPath: join(root, "is not there") })).toBe(BEFORE);
  });

  test("that is compiled is hashed whatever was verified before, and is doubted when it is another", async () => {
    await using cache = await ArtifactCache.open(root);
    const doubted: Digest[] = [];
    const { components } = componentsOf(BEFORE);
    const loader = loaderOf(cache, {
      ...components,
      isVerified: () => Promise.resolve(true),
      doubt: (digest) => void doubted.push(digest),
    });
    await expect(loader.load(spec)).rejects.toMatchObject({ code: "load-failed", message: /no longer the component/ });
    expect(doubted).toEqual([BEFORE]);
    expect((await cache.find(BEFORE)).kind).toBe("miss");
  });

  test("is given up with the loads", async () => {
    await using cache = await ArtifactCache.open(root);
    const { components, seen } = componentsOf();
    loaderOf(cache, components).giveUp();
    expect(seen.gaveUp).toBe(1);
  });
});
