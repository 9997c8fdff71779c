import { describe, expect, test } from "vitest";
import { type AccessLevelBits, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, DEFAULT_REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { createPolicy } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { PluginLoader, PluginSpec } from "../../../src/registry/plugin-loader.ts";
import { PluginSlot } from "../../../src/registry/plugin-slot.ts";
import { PluginVersion } from "../../../src/registry/plugin-version.ts";
import type { PluginRunner } from "../../../src/supervisor/process-pool/plugin-runner.ts";

const NAME = "p" as PluginName;
const READ = bitsFromLevels(["key-value-read"]);
const WRITE = bitsFromLevels(["key-value-write"]);

/** A file that holds a component by name, and what each component requests; "broken" cannot be loaded. */
class FakeLoader {
  file = "a";
  readonly requests: Record<string, AccessLevelBits> = { a: READ, b: READ, wide: READ | WRITE };
  readonly closed: string[] = [];
  loads = 0;

  async load(spec: PluginSpec): Promise<PluginVersion> {
    this.loads += 1;
    if (this.file === "broken") throw new HostError("component-rejected");
    return this.#version(this.file, spec);
  }

  async reopen(digest: Digest, spec: PluginSpec): Promise<PluginVersion> {
    return this.#version(digest, spec);
  }

  async digest(): Promise<Digest> {
    return this.file as Digest;
  }

  #version(component: string, spec: PluginSpec): PluginVersion {
    const requested = this.requests[component] ?? 0;
    const verdict = decide(requested, spec.policy);
    const close = async (): Promise<void> => void this.closed.push(`${component}@${spec.policy.revision}`);
    return new PluginVersion({
      name: spec.name,
      digest: component as Digest,
      manifest: {} as PluginVersion["parts"]["manifest"],
      engine: "linker",
      requested,
      verdict,
      limits: spec.limits,
      runner: verdict.kind === "granted" ? ({ close } as unknown as PluginRunner) : undefined,
    });
  }
}

function specWith(allow: AccessLevelBits): PluginSpec {
  const policy = createPolicy({
    plugin: NAME,
    allow,
    buckets: { private: "any", shared: new Map() },
    hosts: [],
    limits: {},
  });
  return {
    name: NAME,
    componentPath: "/p.wasm",
    policy,
    limits: DEFAULT_PLUGIN_LIMITS,
    compilation: DEFAULT_REPLICA_LIMITS,
    version: "1.0.0",
    description: "",
    start: "with-load",
  };
}

async function loaded(allow: AccessLevelBits): Promise<{ slot: PluginSlot; loader: FakeLoader }> {
  const loader = new FakeLoader();
  const slot = new PluginSlot(specWith(allow), loader as unknown as PluginLoader);
  await slot.reload(specWith(allow));
  return { slot, loader };
}

function serving(slot: PluginSlot): string {
  const { state } = slot;
  return state.kind === "loaded" ? `${state.version.parts.digest} ${state.version.parts.verdict.kind}` : state.kind;
}

describe("reloading a plugin", () => {
  test("changes nothing where file, policy and limits are the same", async () => {
    const { slot, loader } = await loaded(READ);
    expect(await slot.reload(specWith(READ))).toEqual({ kind: "unchanged" });
    expect(loader.loads).toBe(1);
  });

  test("is not due while the last one was for the same and went well", async () => {
    const { slot, loader } = await loaded(READ);
    const spec = specWith(READ);
    expect(slot.follows(spec)).toBe(true);
    const others = [
      specWith(READ | WRITE),
      { ...spec, componentPath: "/q.wasm" },
      { ...spec, version: "1.0.1" },
      { ...spec, description: "new" },
      { ...spec, limits: { ...DEFAULT_PLUGIN_LIMITS, deadlineMs: 7 } },
    ];
    expect(others.map((other) => slot.follows(other))).toEqual(others.map(() => false));
    const reloading = slot.reload(spec);
    expect(slot.follows(spec)).toBe(false);
    await reloading;
    expect(slot.follows(spec)).toBe(true);
    loader.file = "broken";
    expect((await slot.reload(spec)).kind).toBe("kept");
    expect(slot.follows(spec)).toBe(false);
  });

  test("takes up a new component and ends the old version", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "b";
    expect((await slot.reload(specWith(READ))).kind).toBe("replaced");
    expect(serving(slot)).toBe("b granted");
    expect(loader.closed).toHaveLength(1);
  });

  test("lets the requests of the old version finish before it is closed", async () => {
    const { slot, loader } = await loaded(READ);
    const { state } = slot;
    const old = state.kind === "loaded" ? state.version : undefined;
    old?.acquire();
    loader.file = "b";
    await slot.reload(specWith(READ));
    expect([serving(slot), loader.closed.length]).toEqual(["b granted", 0]);
    old?.release();
    await slot.retire();
    expect(loader.closed.map((entry) => entry[0])).toEqual(["a", "b"]);
  });

  test("keeps what serves when the new component cannot be loaded", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "broken";
    expect(await slot.reload(specWith(READ))).toMatchObject({ kind: "kept", error: { code: "component-rejected" } });
    expect(serving(slot)).toBe("a granted");
  });

  test("keeps what serves when the new component requests too much", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "wide";
    expect(await slot.reload(specWith(READ))).toMatchObject({ kind: "kept", error: { code: "denied" } });
    expect(serving(slot)).toBe("a granted");
  });

  test("denies at once when the policy takes the grant away", async () => {
    const { slot } = await loaded(READ);
    await slot.reload(specWith(0));
    expect(serving(slot)).toBe("a denied");
  });

  test("denies also when the policy takes the grant away while the new file is broken", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "broken";
    await slot.reload(specWith(0));
    expect(serving(slot)).toBe("failed");
  });

  test("goes on under the new policy when that still allows it and the new file is broken", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "broken";
    const wider = specWith(READ | WRITE);
    expect((await slot.reload(wider)).kind).toBe("kept");
    const { state } = slot;
    const verdict = state.kind === "loaded" ? state.version.parts.verdict : undefined;
    expect(verdict).toMatchObject({ kind: "granted", grant: { levels: READ, policyRevision: wider.policy.revision } });
  });

  test("fails where nothing served before, and recovers with the next good file", async () => {
    const loader = new FakeLoader();
    loader.file = "broken";
    const slot = new PluginSlot(specWith(READ), loader as unknown as PluginLoader);
    expect((await slot.reload(specWith(READ))).kind).toBe("failed");
    expect(serving(slot)).toBe("failed");
    loader.file = "a";
    expect((await slot.reload(specWith(READ))).kind).toBe("replaced");
  });

  test("happens one after another, in the order asked for", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "b";
    const outcomes = await Promise.all([
      slot.reload(specWith(READ)),
      slot.reload(specWith(READ)),
      slot.reload(specWith(0)),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["replaced", "unchanged", "replaced"]);
    expect(serving(slot)).toBe("b denied");
  });

  test("does nothing after the slot was closed", async () => {
    const { slot, loader } = await loaded(READ);
    await slot.close();
    loader.file = "b";
    expect(await slot.reload(specWith(READ))).toEqual({ kind: "unchanged" });
    expect(loader.loads).toBe(1);
  });
});
