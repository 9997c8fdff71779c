import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL_ACCESS_LEVEL_BITS } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, DEFAULT_REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { createPolicy, denyAll } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { PluginLoader, PluginSpec } from "../../../src/registry/plugin-loader.ts";
import { PluginVersion } from "../../../src/registry/plugin-version.ts";
import { Registry } from "../../../src/registry/registry.ts";
import { until } from "../../harness/until.ts";

/** Takes a file's content for a component's digest, and notes what was looked at. */
class FakeLoader {
  readonly looks: PluginName[] = [];

  async digest({ name, componentPath }: PluginSpec): Promise<Digest> {
    this.looks.push(name);
    return (await readFile(componentPath, "utf8")) as Digest;
  }

  async load(spec: PluginSpec): Promise<PluginVersion> {
    const { name, policy, limits, componentPath } = spec;
    const digest = (await readFile(componentPath, "utf8")) as Digest;
    const manifest = {} as PluginVersion["parts"]["manifest"];
    const verdict = decide(0, policy);
    return new PluginVersion({
      name,
      digest,
      manifest,
      engine: "linker",
      requested: 0,
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
  async function open(specs: () => readonly PluginSpec[]) {
    for (const name of ["a", "b", "c", "configuration"]) await writeFile(join(folder, name), "1");
    const loader = new FakeLoader();
    const loaded: string[] = [];
    const plans: number[] = [];
    const registry = new Registry(
      loader as unknown as PluginLoader,
      async () => {
        plans.push(loader.looks.length);
        return { specs: specs(), watched: [join(folder, "configuration")] };
      },
      {
        loaded: ({ name }, { kind }) => void loaded.push(`${name} ${kind}`),
        added: () => undefined,
        removed: async () => undefined,
        planFailed: (error) => expect(error).toBeUndefined(),
      },
    );
    await registry.open();
    return { registry, loader, loaded, plans };
  }

  test("are looked at alone where only their component changed", async () => {
    const { registry, loader, loaded, plans } = await open(() => ["a", "b", "c"].map(specOf));
    await using _ = registry;
    // They are loaded side by side.
    expect(loaded.toSorted()).toEqual(["a replaced", "b replaced", "c replaced"]);
    await writeFile(join(folder, "b"), "other");
    await until(() => loaded.length === 4, { what: "the component is taken up" });
    expect([loaded[3], loader.looks, plans.length]).toEqual(["b replaced", ["b"], 1]);
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
    await until(() => loaded.length === 4, { what: "the policy is taken up" });
    // Under another policy there is something to load, whatever the component's file is.
    await until(() => loader.looks.length === 1, { what: "the other one is looked at" });
    expect([loaded[3], loader.looks]).toEqual(["c replaced", ["b"]]);
    expect(registry.slots.get("b" as PluginName)?.spec.description).toBe("changed");
  });

  test("that could not be loaded are tried again with every change of the configuration", async () => {
    const { registry, loaded, plans } = await open(() => ["a", "missing"].map(specOf));
    await using _ = registry;
    expect(loaded.toSorted()).toEqual(["a replaced", "missing failed"]);
    await writeFile(join(folder, "configuration"), "other");
    await until(() => loaded.length === 3, { what: "it is tried again" });
    expect([loaded[2], plans.length]).toEqual(["missing failed", 2]);
  });
});
