import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { denyAll } from "../../../src/policy/create-policy.ts";
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
      version: "0.0.0",
      description: "",
      start: "on-demand",
    };
  }

  test("are looked at alone where only their component changed, and all of them where the configuration did", async () => {
    for (const name of ["a", "b", "configuration"]) await writeFile(join(folder, name), "1");
    const loader = new FakeLoader();
    const loaded: string[] = [];
    let plans = 0;
    await using registry = new Registry(
      loader as unknown as PluginLoader,
      async () => {
        plans += 1;
        return { specs: [specOf("a"), specOf("b")], watched: [join(folder, "configuration")] };
      },
      {
        loaded: ({ name }, { kind }) => void loaded.push(`${name} ${kind}`),
        added: () => undefined,
        removed: async () => undefined,
        planFailed: (error) => expect(error).toBeUndefined(),
      },
    );
    await registry.open();
    // They are loaded side by side.
    expect([loaded.toSorted(), plans]).toEqual([["a replaced", "b replaced"], 1]);

    await writeFile(join(folder, "b"), "other");
    await until(() => loaded.length === 3, { what: "the component is taken up" });
    expect([loaded[2], loader.looks, plans]).toEqual(["b replaced", ["b"], 1]);

    await writeFile(join(folder, "configuration"), "other");
    await until(() => loader.looks.length === 3, { what: "all are looked at" });
    expect([loader.looks.slice(1).toSorted(), plans, loaded.length]).toEqual([["a", "b"], 2, 3]);
  });
});
