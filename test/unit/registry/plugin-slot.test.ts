import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AccessLevelBits, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, DEFAULT_REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { createPolicy } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { PluginLoader, PluginSpec } from "../../../src/registry/plugin-loader.ts";
import { PluginSlot } from "../../../src/registry/plugin-slot.ts";
import { PluginVersion, type PluginVersionOptions } from "../../../src/registry/plugin-version.ts";
import type { PluginRunner } from "../../../src/supervisor/process-pool/plugin-runner.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const NAME = "p" as PluginName;
const READ = bitsFromLevels(["key-value-read"]);
const WRITE = bitsFromLevels(["key-value-write"]);

/** What happens to a plugin. */
type Step =
  | { readonly kind: "want"; readonly allow: AccessLevelBits }
  | { readonly kind: "deploy"; readonly file: string }
  | { readonly kind: "load" | "request" | "reply" };

/** A file that holds a component by name, and what each component requests; "broken" cannot be loaded. */
class FakeLoader {
  file = "a";
  readonly requests: Record<string, AccessLevelBits> = { a: READ, b: READ, wide: READ | WRITE };
  readonly closed: string[] = [];
  loads = 0;
  #gate: Promise<void> | undefined;

  /** From now on loads wait, until the function it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  async load(spec: PluginSpec): Promise<PluginVersion> {
    this.loads += 1;
    await this.#gate;
    if (this.file === "broken") throw new HostError("component-rejected");
    return this.#version(this.file, spec);
  }

  async reopen({ digest }: Pick<PluginVersionOptions, "digest">, spec: PluginSpec): Promise<PluginVersion> {
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
      signers: [],
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
  await reloadAs(slot, specWith(allow));
  return { slot, loader };
}

/** Reloads when this is what is wanted. */
function reloadAs(slot: PluginSlot, spec: PluginSpec): ReturnType<PluginSlot["reload"]> {
  slot.confine(spec);
  return slot.reload();
}

function serving(slot: PluginSlot): string {
  const { state } = slot;
  return state.kind === "loaded" ? `${state.version.parts.digest} ${state.version.parts.verdict.kind}` : state.kind;
}

describe("reloading a plugin", () => {
  test("changes nothing where file, policy and limits are the same", async () => {
    const { slot, loader } = await loaded(READ);
    expect(await reloadAs(slot, specWith(READ))).toEqual({ kind: "unchanged" });
    expect(loader.loads).toBe(1);
  });

  test("is not due while the last one was for the same and went well", async () => {
    const { slot, loader } = await loaded(READ);
    const spec = specWith(READ);
    expect(slot.follows(spec)).toBe(true);
    const others = [
      specWith(READ | WRITE),
      { ...spec, componentPath: "/q.wasm" },
      { ...spec, limits: { ...DEFAULT_PLUGIN_LIMITS, deadlineMs: 7 } },
    ];
    expect(others.map((other) => slot.follows(other))).toEqual(others.map(() => false));
    // What discovery tells needs no load.
    expect(slot.follows({ ...spec, version: "1.0.1", description: "new" })).toBe(true);
    const reloading = reloadAs(slot, spec);
    expect(slot.follows(spec)).toBe(false);
    await reloading;
    expect(slot.follows(spec)).toBe(true);
    loader.file = "broken";
    expect((await reloadAs(slot, spec)).kind).toBe("kept");
    expect(slot.follows(spec)).toBe(false);
  });

  test("loads a new component and ends the old version", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "b";
    expect((await reloadAs(slot, specWith(READ))).kind).toBe("replaced");
    expect(serving(slot)).toBe("b granted");
    expect(loader.closed).toHaveLength(1);
  });

  test("lets the requests of the old version finish before it is closed", async () => {
    const { slot, loader } = await loaded(READ);
    const { state } = slot;
    const old = state.kind === "loaded" ? state.version : undefined;
    const lease = old?.acquire();
    loader.file = "b";
    await reloadAs(slot, specWith(READ));
    expect([serving(slot), loader.closed.length]).toEqual(["b granted", 0]);
    lease?.[Symbol.dispose]();
    await slot.withdraw();
    expect(new Set(loader.closed.map((entry) => entry[0]))).toEqual(new Set(["a", "b"]));
  });

  test("keeps what serves when the new component cannot be loaded", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "broken";
    expect(await reloadAs(slot, specWith(READ))).toMatchObject({ kind: "kept", error: { code: "component-rejected" } });
    expect(serving(slot)).toBe("a granted");
  });

  test("keeps what serves when the new component requests too much", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "wide";
    expect(await reloadAs(slot, specWith(READ))).toMatchObject({ kind: "kept", error: { code: "denied" } });
    expect(serving(slot)).toBe("a granted");
  });

  test("denies at once when the policy takes the grant away", async () => {
    const { slot } = await loaded(READ);
    await reloadAs(slot, specWith(0));
    expect(serving(slot)).toBe("a denied");
  });

  test("denies also when the policy takes the grant away while the new file is broken", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "broken";
    await reloadAs(slot, specWith(0));
    expect(serving(slot)).toBe("failed");
  });

  test("goes on under the new policy when that still allows it and the new file is broken", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "broken";
    const wider = specWith(READ | WRITE);
    expect((await reloadAs(slot, wider)).kind).toBe("kept");
    const { state } = slot;
    const verdict = state.kind === "loaded" ? state.version.parts.verdict : undefined;
    expect(verdict).toMatchObject({ kind: "granted", grant: { levels: READ, policyRevision: wider.policy.revision } });
  });

  test("fails where nothing served before, and recovers with the next good file", async () => {
    const loader = new FakeLoader();
    loader.file = "broken";
    const slot = new PluginSlot(specWith(READ), loader as unknown as PluginLoader);
    expect((await reloadAs(slot, specWith(READ))).kind).toBe("failed");
    expect(serving(slot)).toBe("failed");
    loader.file = "a";
    expect((await reloadAs(slot, specWith(READ))).kind).toBe("replaced");
  });

  test("happens one after another, each for what is wanted when it begins", async () => {
    const { slot, loader } = await loaded(READ);
    loader.file = "b";
    const release = loader.hold();
    const first = slot.reload();
    await turn();
    const others = [reloadAs(slot, specWith(READ | WRITE)), reloadAs(slot, specWith(0))];
    release();
    expect((await first).kind).toBe("replaced");
    expect((await Promise.all(others)).map(({ kind }) => kind)).toEqual(["replaced", "unchanged"]);
    expect(serving(slot)).toBe("b denied");
  });

  test("gives nothing back to a plugin that was removed meanwhile", async () => {
    const { slot } = await loaded(READ);
    const { state } = slot;
    if (state.kind !== "loaded") throw new Error("it is not loaded");
    state.version.acquire();
    const withdrawn = slot.withdraw();
    expect((await slot.reload()).kind).toBe("unchanged");
    expect([state.version.authority.now.kind, slot.state.kind]).toEqual(["denied", "closed"]);
    state.version.release();
    await withdrawn;
  });

  test("does nothing after the slot was closed", async () => {
    const { slot, loader } = await loaded(READ);
    await slot.close();
    loader.file = "b";
    expect(await reloadAs(slot, specWith(READ))).toEqual({ kind: "unchanged" });
    expect(loader.loads).toBe(1);
  });

  test("what is left of it does never more than is wanted, whatever is being loaded and in whatever order loads end", async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("want"), allow: fc.constantFrom(0, READ, READ | WRITE) }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant("deploy"), file: fc.constantFrom("a", "wide", "wide", "broken") }),
      },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("load") }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("request", "reply") }) },
    ) as fc.Arbitrary<Step>;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const loader = new FakeLoader();
        const slot = new PluginSlot(specWith(READ), loader as unknown as PluginLoader);
        let wanted: AccessLevelBits = READ;
        await reloadAs(slot, specWith(wanted));
        const held: PluginVersion[] = [];
        const isWithin = (version: PluginVersion): boolean => {
          const { now } = version.authority;
          return now.kind === "denied" || now.grants.some(({ levels }) => (levels & ~wanted) === 0);
        };
        let release: (() => void) | undefined;
        for (const action of steps) {
          if (action.kind === "deploy") loader.file = action.file;
          if (action.kind === "want") {
            wanted = action.allow;
            slot.confine(specWith(wanted));
          }
          if (action.kind === "load") {
            // One load is held back while further steps are taken, until the next one begins.
            release?.();
            release = loader.hold();
            void reloadAs(slot, specWith(wanted));
          }
          const { state } = slot;
          if (action.kind === "request" && state.kind === "loaded") {
            state.version.acquire();
            held.push(state.version);
          }
          if (action.kind === "reply") held.pop()?.release();
          await turn();
          const now = slot.state;
          for (const version of now.kind === "loaded" ? [...held, now.version] : held)
            expect(isWithin(version)).toBe(true);
        }
        release?.();
        for (const version of held) version.release();
        await slot.withdraw();
        expect(slot.state.kind).toBe("closed");
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 200 },
    );
  });
});
