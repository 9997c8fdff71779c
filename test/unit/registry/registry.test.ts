import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, DEFAULT_REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { createPolicy, denyAll } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { PluginLoader, PluginSpec } from "../../../src/registry/plugin-loader.ts";
import { PluginVersion } from "../../../src/registry/plugin-version.ts";
import { ReadContents } from "../../../src/registry/read-contents.ts";
import { Registry, type RegistryPlan } from "../../../src/registry/registry.ts";
import { until } from "../../../scripts/lib/until.ts";

/** Takes a file's content for a component's digest, and notes what was looked at. */
class FakeLoader {
  readonly looks: PluginName[] = [];

  recheck(): void {
    // Of registries there are none here.
  }

  async digest({ name, componentPath }: PluginSpec): Promise<Digest> {
    this.looks.push(name);
    return (await readFile(componentPath, "utf8")) as Digest;
  }

  /** Plugins whose loads do not end before this. */
  readonly slow = new Map<string, Promise<void>>();
  requested = 0;

  async load(spec: PluginSpec): Promise<PluginVersion> {
    const { name, policy, limits, componentPath } = spec;
    await this.slow.get(name);
    const digest = (await readFile(componentPath, "utf8")) as Digest;
    const manifest = {} as PluginVersion["parts"]["manifest"];
    const verdict = decide(this.requested, policy);
    return new PluginVersion({
      name,
      digest,
      manifest,
      engine: "linker",
      requested: this.requested,
      signers: [],
      verdict,
      limits,
      runner: undefined,
    });
  }

  giveUp(): void {}
}

describe("the plugins of a replica", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "registry-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  function specOf(name: string): PluginSpec {
    const plugin = name as PluginName;
    return {
      name: plugin,
      componentPath: join(folder, name),
      policy: denyAll(plugin),
      limits: DEFAULT_PLUGIN_LIMITS,
      compilation: DEFAULT_REPLICA_LIMITS,
      version: "0.0.0",
      description: "",
      start: "on-demand",
    };
  }

  /** A replica of three plugins whose plan is `specs`, loaded. */
  async function open(specs: () => readonly PluginSpec[], state: RegistryPlan["state"] = "current") {
    for (const name of ["a", "b", "c", "configuration"]) await writeFile(join(folder, name), "1");
    const loader = new FakeLoader();
    const loaded: string[] = [];
    const plans: number[] = [];
    const events: string[] = [];
    const registry = new Registry({
      loader: loader as unknown as PluginLoader,
      plan: async () => {
        plans.push(loader.looks.length);
        return { specs: specs(), watched: [join(folder, "configuration")], state };
      },
      events: {
        loaded: ({ name }, { kind }) => void loaded.push(`${name} ${kind}`),
        settled: async () => undefined,
        removed: async ({ name }) => void events.push(`${name} removed`),
        narrowed: ({ name }, taken) => void events.push(`${name} lost ${taken.join(", ")}`),
        confined: () => void events.push("confined"),
        planFailed: (error) => expect(error).toBeUndefined(),
      },
      contents: new ReadContents(),
    });
    await registry.open();
    plans.length = 0;
    return { registry, loader, loaded, plans, events };
  }

  test("are looked at alone where only their component changed", async () => {
    const { registry, loader, loaded, plans } = await open(() => ["a", "b", "c"].map(specOf));
    await using _ = registry;
    // They are loaded side by side.
    expect(loaded.toSorted()).toEqual(["a replaced", "b replaced", "c replaced"]);
    await writeFile(join(folder, "b"), "other");
    await until(() => loaded.length === 4, { what: "the component is applied" });
    expect([loaded[3], loader.looks, plans.length]).toEqual(["b replaced", ["b"], 0]);
  });

  test("are what the configuration says after the first look at its files, which nothing can change unseen", async () => {
    const policy = createPolicy({ ...denyAll("a" as PluginName), allow: ALL_ACCESS_LEVEL_BITS });
    let readings = 0;
    const { registry, loaded } = await open(() => {
      readings += 1;
      return readings === 1 ? [{ ...specOf("a"), policy }, specOf("b")] : [specOf("a")];
    });
    await using _ = registry;
    expect(loaded).toEqual(["a replaced"]);
    const state = registry.slots.get("a" as PluginName)?.state;
    expect(state).toMatchObject({ version: { parts: { verdict: { grant: { levels: 0 } } } } });
    expect(state?.kind === "loaded" && state.version.authority.policyRevision).toBe(specOf("a").policy.revision);
  });

  test("are looked at alone where only their part of the configuration changed", async () => {
    let described = "";
    const policy = createPolicy({ ...denyAll("c" as PluginName), allow: ALL_ACCESS_LEVEL_BITS });
    const { registry, loader, loaded } = await open(() => [
      specOf("a"),
      { ...specOf("b"), description: described },
      described === "" ? specOf("c") : { ...specOf("c"), policy },
    ]);
    await using _ = registry;
    described = "changed";
    await writeFile(join(folder, "configuration"), "other");
    await until(() => loaded.length === 4, { what: "the policy is applied" });
    // What discovery tells is in force without a look at anything.
    expect([loaded[3], loader.looks]).toEqual(["c replaced", []]);
    expect(registry.slots.get("b" as PluginName)?.spec.description).toBe("changed");
  });

  test("that could not be loaded are tried again with every change of the configuration", async () => {
    const { registry, loaded, plans } = await open(() => ["a", "missing"].map(specOf));
    await using _ = registry;
    expect(loaded.toSorted()).toEqual(["a replaced", "missing failed"]);
    await writeFile(join(folder, "configuration"), "other");
    await until(() => loaded.length === 3, { what: "it is tried again" });
    expect([loaded[2], plans.length]).toEqual(["missing failed", 1]);
  });

  test("are in force or refused when reading them again has ended, however long that takes, and whoever else asks", async () => {
    const { registry, loader, loaded } = await open(() => ["a", "b"].map(specOf));
    await using _ = registry;
    const compilation = Promise.withResolvers<void>();
    using _compiled = { [Symbol.dispose]: compilation.resolve };
    loader.slow.set("a", compilation.promise);
    await writeFile(join(folder, "a"), "other");
    const over: string[] = [];
    const first = registry.reread().then(() => over.push("first"));
    const second = registry.reread().then(() => over.push("second"));
    await until(() => loader.looks.includes("a" as PluginName), { what: "the component is looked at" });
    expect(over).toEqual([]);
    compilation.resolve();
    await Promise.all([first, second]);
    const state = registry.slots.get("a" as PluginName)?.state;
    expect(state?.kind === "loaded" && state.version.parts.digest).toBe("other");
    expect(loaded.filter((entry) => entry === "a replaced")).toHaveLength(2);
    await rm(join(folder, "b"));
    await registry.reread();
    expect(registry.slots.get("b" as PluginName)?.refused).toBeDefined();
  });

  test("are waited for no longer when the registry is closed", async () => {
    const { registry, loader } = await open(() => ["a"].map(specOf));
    const compilation = Promise.withResolvers<void>();
    loader.slow.set("a", compilation.promise);
    await writeFile(join(folder, "a"), "other");
    const reread = registry.reread();
    registry.giveUpLoads();
    await reread;
    await registry.reread();
    compilation.resolve();
    await registry.close();
  });

  test("are not reported as failed when they are given up", async () => {
    const { registry, loader, loaded } = await open(() => ["a"].map(specOf));
    loaded.length = 0;
    const load = Promise.withResolvers<void>();
    load.promise.catch(() => undefined);
    loader.slow.set("a", load.promise);
    await writeFile(join(folder, "a"), "other");
    void registry.reread();
    await until(() => loader.looks.includes("a" as PluginName), { what: "the component is looked at" });
    registry.giveUpLoads();
    load.reject(new HostError("registry-unreachable", "the replica is stopping"));
    const slot = registry.slots.get("a" as PluginName);
    await until(() => slot?.isReloading === false, { what: "the load ends" });
    expect(slot?.refused).toMatchObject({ code: "registry-unreachable" });
    await registry.close();
    expect(loaded).toEqual([]);
  });

  test("are read by one after the other, also where somebody asks for it during the start", async () => {
    await writeFile(join(folder, "a"), "1");
    let readings = 0;
    let most = 0;
    const begun = Promise.withResolvers<void>();
    const registry = new Registry({
      loader: new FakeLoader() as unknown as PluginLoader,
      plan: async () => {
        readings += 1;
        most = Math.max(most, readings);
        begun.resolve();
        await new Promise((resolve) => setImmediate(resolve));
        readings -= 1;
        return { specs: [specOf("a")], watched: [], state: "current" };
      },
      events: {
        loaded: () => undefined,
        settled: async () => undefined,
        removed: async () => undefined,
        narrowed: () => undefined,
        confined: () => undefined,
        planFailed: (error) => expect(error).toBeUndefined(),
      },
      contents: new ReadContents(),
    });
    await using _ = registry;
    const opened = registry.open();
    await begun.promise;
    await Promise.all([opened, registry.reread()]);
    expect(most).toBe(1);
  });

  describe("while another one is being loaded", () => {
    const READ = bitsFromLevels(["key-value-read"]);
    const allowing = (name: string, allow: number): PluginSpec => ({
      ...specOf(name),
      policy: createPolicy({ ...denyAll(name as PluginName), allow }),
    });

    /** In one step: half a file would be one change more. */
    async function replace(name: string, content: string): Promise<void> {
      await writeFile(join(folder, ".new"), content);
      await rename(join(folder, ".new"), join(folder, name));
    }

    function holding(version: PluginVersion): Disposable {
      version.acquire();
      return { [Symbol.dispose]: () => version.release() };
    }

    test("lose at once what a plan takes away, and are loaded anew without waiting for it", async () => {
      let specs = [allowing("a", READ), allowing("b", READ), allowing("c", READ)];
      const { registry, loader, loaded, events } = await open(() => specs);
      await using _ = registry;
      const compilation = Promise.withResolvers<void>();
      // Whatever fails below, the registry can be closed then.
      using _compiled = { [Symbol.dispose]: compilation.resolve };
      loader.slow.set("a", compilation.promise);
      // A plugin that has something to lose holds what it requests.
      loader.requested = READ;
      for (const name of ["b", "c"]) await replace(name, "2");
      await until(() => loaded.filter((entry) => /^[bc] replaced$/.test(entry)).length === 4, {
        what: "b and c are loaded",
      });
      const versionOf = (name: string): PluginVersion => {
        const state = registry.slots.get(name as PluginName)?.state;
        if (state?.kind !== "loaded") throw new Error(`${name} is not loaded`);
        return state.version;
      };
      const [b, c] = [versionOf("b"), versionOf("c")];
      // One of its requests is in flight.
      using _request = holding(b);
      await replace("a", "2");
      await until(() => loader.looks.includes("a" as PluginName), { what: "a is being loaded" });
      specs = [allowing("a", READ), allowing("b", 0)];
      await replace("configuration", "other");
      await until(() => events.includes("confined"), { what: "the plan is in force" });
      expect(events).toEqual(["c removed", "b lost key-value-read", "confined"]);
      expect([b.authority.now.kind, c.authority.now.kind]).toEqual(["denied", "denied"]);
      expect([...registry.slots.keys()]).toEqual(["a", "b"]);
      await until(() => loaded.length === 6, { what: "b is loaded for the plan" });
      expect(loaded.at(-1)).toBe("b replaced");
      expect(versionOf("b").parts.verdict.kind).toBe("denied");
      compilation.resolve();
      await until(() => loaded.at(-1) === "a replaced", { what: "a is loaded" });
    });

    test("come back while what is left of them still ends", async () => {
      let specs = [allowing("a", READ), allowing("b", READ)];
      const { registry, loaded, events } = await open(() => specs);
      await using _ = registry;
      const first = registry.slots.get("b" as PluginName);
      const state = first?.state;
      if (state?.kind !== "loaded") throw new Error("b is not loaded");
      using _request = holding(state.version);
      specs = [allowing("a", READ)];
      await replace("configuration", "without b");
      await until(() => events.includes("b removed"), { what: "b is removed" });
      expect(first?.state).toMatchObject({ kind: "closed", error: { code: "plugin-unavailable" } });
      specs = [allowing("a", READ), allowing("b", READ)];
      await replace("configuration", "with b");
      await until(() => loaded.filter((entry) => entry === "b replaced").length === 2, { what: "b is back" });
      expect(registry.slots.get("b" as PluginName)).not.toBe(first);
    });
  });

  test("are planned again and again while the plan is not what the files hold now", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { registry, plans } = await open(() => [specOf("a")], "stale");
      await using _ = registry;
      for (const times of [1, 2]) {
        await vi.advanceTimersByTimeAsync(5_000);
        await expect.poll(() => plans.length).toBeGreaterThanOrEqual(times);
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
