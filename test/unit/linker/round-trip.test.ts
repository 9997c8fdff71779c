/**
 * Every type crosses the boundary unchanged, and the guest's memory holds what the other engine's glue puts
 * there: the layouts are the specification's as two implementations understand it.
 */

import { transpile } from "@bytecodealliance/jco";
import fc from "fast-check";
import { expect, it } from "vitest";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exported, instantiate, prepare } from "./link.ts";
import { GUEST_INTERFACE, HOST_INTERFACE, passThrough, typesWith } from "./random-types.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** What a pass through a guest showed. */
interface Pass {
  /** What the import was called with. */
  readonly seen: unknown;
  readonly returned: unknown;
  readonly memory: Buffer;
}

type PassThrough = (value: unknown) => Promise<Pass>;

function linkerPass(component: Uint8Array): PassThrough {
  const linked = prepare(component);
  return async (value) => {
    let seen: unknown;
    const host = { [HOST_INTERFACE]: { pass: (lifted: unknown) => (seen = lifted) } };
    const instance = instantiate(linked, host);
    const returned = await exported(linked, instance, GUEST_INTERFACE, "run")(value);
    return { seen, returned, memory: Buffer.from(instance.memories()[0]?.buffer ?? new ArrayBuffer(0)) };
  };
}

async function jcoPass(component: Uint8Array): Promise<{ readonly pass: PassThrough } & AsyncDisposable> {
  const { files } = await transpile(component, { name: "pass", instantiation: "sync", minify: false } as never);
  const folder = await mkdtemp(join(tmpdir(), "network-host-pass-"));
  for (const [name, content] of Object.entries(files))
    if (!name.endsWith(".ts")) await writeFile(join(folder, name.replace(/\.js$/, ".mjs")), content);
  const { instantiate: make } = (await import(join(folder, "pass.mjs"))) as { instantiate: JcoInstantiate };
  const modules = new Map(Object.entries(files).map(([name, content]) => [name, content]));
  const pass: PassThrough = async (value) => {
    let seen: unknown;
    let memory: WebAssembly.Memory | undefined;
    const exports = make(
      (file) => new WebAssembly.Module(Buffer.from(modules.get(file) as Uint8Array)),
      { [HOST_INTERFACE]: { pass: (lifted: unknown) => (seen = lifted) } },
      (module, imports) => {
        const instance = new WebAssembly.Instance(module, imports);
        memory ??= instance.exports["memory"] as WebAssembly.Memory | undefined;
        return instance;
      },
    );
    const returned = exports[GUEST_INTERFACE]?.run(value);
    return { seen, returned, memory: Buffer.from(memory?.buffer ?? new ArrayBuffer(0)) };
  };
  return { pass, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

type JcoInstantiate = (
  getCoreModule: (file: string) => WebAssembly.Module,
  imports: object,
  instantiateCore: (module: WebAssembly.Module, imports: WebAssembly.Imports) => WebAssembly.Instance,
) => Readonly<Record<string, { run(value: unknown): unknown } | undefined>>;

it("carries random values of random types to a guest and back, in every string encoding", async () => {
  await fc.assert(
    fc.asyncProperty(
      typesWith({ maxLength: 40 }),
      fc.constantFrom("utf8", "utf16", "compact-utf16"),
      fc.gen(),
      async (type, encoding, gen) => {
        const pass = linkerPass(await passThrough(type, encoding));
        for (let turn = 0; turn < 10; turn += 1) {
          const value = gen(() => type.values);
          const { seen, returned } = await pass(value);
          expect(seen).toEqual(value);
          expect(returned).toEqual(value);
        }
      },
    ),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 200 },
  );
});

it("leaves the same bytes in the guest's memory as the jco engine's glue", async () => {
  await fc.assert(
    fc.asyncProperty(
      // jco throws and catches a function's own `err`; the result within a type is what both have. It also has no
      // guest allocate for an empty string, which the specification does not except. Of options in options it takes two.
      typesWith({ minLength: 1, maxLength: 40 }).filter(
        ({ wit, declarations }) =>
          !wit.startsWith("result") && !`${wit} ${declarations.join(" ")}`.includes("option<option<option<"),
      ),
      fc.gen(),
      async (type, gen) => {
        const component = await passThrough(type);
        const pass = linkerPass(component);
        await using reference = await jcoPass(component);
        for (let turn = 0; turn < 5; turn += 1) {
          const value = gen(() => type.values);
          const [ours, theirs] = [await pass(value), await reference.pass(value)];
          expect(ours.returned).toEqual(theirs.returned);
          expect(ours.seen).toEqual(theirs.seen);
          expect(Buffer.compare(ours.memory, theirs.memory)).toBe(0);
        }
      },
    ),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 40 },
  );
});
