/**
 * The engine that executes jco's output: an ES module with `instantiate(getCoreModule, imports,
 * instantiateCore)`, and core modules. The generated code is trusted no more than the plugin that it was made from: the
 * engine imports it only after the realm is sealed, gives it compiled modules and frozen namespaces, and uses only those of
 * its exports that the contract names.
 *
 * Instantiation is synchronous throughout (compiled modules, `new WebAssembly.Instance`), so an export is never mistaken
 * for a promise.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { HANDLER } from "../contract/interface-names.ts";
import type { ArtifactManifest } from "../contract/artifact.ts";
import type { RpcRequest } from "../contract/request.ts";
import { HostError } from "../errors/host-error.ts";
import type { Engine, GuestOutcome, Instance, LevelsOutcome, Restoration } from "./engine.ts";
import type { GuestContext } from "./guest/guest-context.ts";
import { describeTrap, parseLevels, parsePluginError, parseResponse } from "./guest-outcome.ts";
import { trapping } from "./guest/trap.ts";
import { createImportsFactory, type ImportsFactory } from "./imports.ts";
import { sealRealm } from "./realm.ts";
import { interceptSuspending, Suspension } from "./suspension.ts";

/** The entry's export: synchronous where both functions that it gets are. */
type Instantiate = (
  getCoreModule: (file: string) => WebAssembly.Module,
  imports: object,
  instantiateCore: (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance,
) => unknown;

type HostFunction = (...args: readonly unknown[]) => unknown;

interface Handler {
  getAccessLevels(): Promise<unknown>;
  handleRequest(request: RpcRequest): Promise<unknown>;
}

/** Compiles an artifact. Seals the realm: this process cannot import any other module afterwards. Throws `load-failed`. */
export async function loadJcoEngine(artifactDir: string, manifest: ArtifactManifest): Promise<Engine> {
  const modules = new Map<string, WebAssembly.Module>();
  for (const file of manifest.coreModules) {
    modules.set(file, await WebAssembly.compile(await readFile(join(artifactDir, file))));
  }
  const entry = pathToFileURL(join(artifactDir, manifest.entry)).href;
  interceptSuspending();
  sealRealm(entry);
  const { instantiate } = (await import(entry)) as { instantiate?: unknown };
  if (typeof instantiate !== "function")
    throw new HostError("load-failed", "the artifact's entry exports no instantiate");
  return new JcoEngine(instantiate as Instantiate, modules, createImportsFactory(manifest.imports));
}

class JcoEngine implements Engine {
  readonly #instantiate: Instantiate;
  readonly #modules: ReadonlyMap<string, WebAssembly.Module>;
  readonly #createImports: ImportsFactory;

  constructor(
    instantiate: Instantiate,
    modules: ReadonlyMap<string, WebAssembly.Module>,
    createImports: ImportsFactory,
  ) {
    this.#instantiate = instantiate;
    this.#modules = modules;
    this.#createImports = createImports;
  }

  // Async, so that an error of guest code during instantiation becomes a rejection.
  async instantiate(context: GuestContext): Promise<Instance> {
    const suspension = new Suspension();
    const memories: WebAssembly.Memory[] = [];
    const guestFunctions = new WeakSet<object>();
    const instantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance => {
      const instance = new WebAssembly.Instance(module, trappingImports(imports, guestFunctions));
      for (const value of Object.values(instance.exports)) {
        if (value instanceof WebAssembly.Memory) memories.push(value);
        if (typeof value === "function") guestFunctions.add(value);
      }
      return instance;
    };
    const imports = this.#createImports(context);
    const exports = suspension.adopt(() =>
      this.#instantiate((file) => this.#module(file), imports, instantiateCore),
    ) as Readonly<Record<string, Handler | undefined>>;
    const handler = exports[HANDLER];
    if (handler === undefined) throw new HostError("load-failed", `the component does not export ${HANDLER}`);
    return new JcoInstance(handler, suspension, memories);
  }

  #module(file: string): WebAssembly.Module {
    const module = this.#modules.get(file);
    if (module === undefined) throw new HostError("load-failed", "the entry asks for a core module the manifest lacks");
    return module;
  }
}

/**
 * The imports of a core instance with every function of JavaScript so that what it throws is a trap: generated code throws
 * errors, which a guest could catch. Functions of other core instances stay as they are. For imports that suspend, see
 * `suspension.ts`.
 */
function trappingImports(imports: WebAssembly.Imports = {}, guestFunctions: WeakSet<object>): WebAssembly.Imports {
  const guarded = Object.create(null) as WebAssembly.Imports;
  for (const [module, items] of Object.entries(imports)) {
    const given = Object.create(null) as Record<string, unknown>;
    for (const [name, item] of Object.entries(items))
      given[name] = typeof item === "function" && !guestFunctions.has(item) ? trapping(item as HostFunction) : item;
    guarded[module] = given;
  }
  return guarded;
}

class JcoInstance implements Instance {
  readonly #handler: Handler;
  readonly #suspension: Suspension;
  readonly #memories: readonly WebAssembly.Memory[];

  constructor(handler: Handler, suspension: Suspension, memories: readonly WebAssembly.Memory[]) {
    this.#handler = handler;
    this.#suspension = suspension;
    this.#memories = memories;
  }

  get memoryBytes(): number {
    return this.#memories.reduce((bytes, { buffer }) => bytes + buffer.byteLength, 0);
  }

  /** Generated code keeps state that cannot be reached from outside. */
  restore(): Restoration {
    return "impossible";
  }

  start(): void {
    // No instance is ever put back to its state before its start functions.
  }

  destroy(): void {
    this.#suspension.end();
  }

  async getAccessLevels(): Promise<LevelsOutcome> {
    try {
      return parseLevels(await this.#handler.getAccessLevels());
    } catch (thrown) {
      return describeTrap(thrown);
    }
  }

  async handleRequest(request: RpcRequest): Promise<GuestOutcome> {
    try {
      return parseResponse(await this.#handler.handleRequest(request));
    } catch (thrown) {
      // Generated code throws the payload of an `err` itself, or an error with it; a trap is an error without one.
      // An exception that the guest did not catch is neither.
      if (thrown instanceof WebAssembly.Exception) return describeTrap(thrown);
      if (!(thrown instanceof Error)) return parsePluginError(thrown);
      if (Object.hasOwn(thrown, "payload")) return parsePluginError((thrown as { payload?: unknown }).payload);
      return describeTrap(thrown);
    }
  }
}
