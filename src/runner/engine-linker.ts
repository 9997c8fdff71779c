/**
 * The engine that executes a link plan: one implementation of the canonical ABI for all plugins, made ready once
 * for a component and used by all its instances. No JavaScript is made from a plugin's bytes.
 *
 * After a call an instance is put back to its first state where that can be done exactly. Not so where the
 * component draws randomness before its first request: the same bytes would come again in every request.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RpcRequest } from "../contract/request.ts";
import { HostError } from "../errors/host-error.ts";
import type { Engine, GuestOutcome, Instance, LevelsOutcome } from "./engine.ts";
import type { GuestContext } from "./guest-context.ts";
import { describeTrap, parseLevels, parsePluginError, parseResponse } from "./guest-outcome.ts";
import { createImport } from "./imports.ts";
import type { Settlement } from "./linker/calls-across.ts";
import { FirstState, type SharedState, takeSharedState } from "./linker/first-state.ts";
import { createLinkedComponent, type LinkedComponent } from "./linker/linked-component.ts";
import { LinkedInstance } from "./linker/linked-instance.ts";
import { parsePlan } from "./linker/parse-plan.ts";
import { sealRealm } from "./realm.ts";
import { Suspension } from "./suspension.ts";

const HANDLER = "local:network-host/handler@1.0.0";

/** The contract's exports, by index of the plan's lifts. */
interface HandlerLifts {
  readonly getAccessLevels: number;
  readonly handleRequest: number;
}

/** Compiles an artifact's core modules. Seals the realm on the way: afterwards this process loads nothing more. */
export async function loadLinkerEngine(artifactDir: string, planFile: string): Promise<Engine> {
  const plan = parsePlan(await readFile(join(artifactDir, planFile), "utf8"));
  const modules: WebAssembly.Module[] = [];
  for (const { file } of plan.modules) modules.push(await WebAssembly.compile(await readFile(join(artifactDir, file))));
  sealRealm();
  const { "get-access-levels": getAccessLevels, "handle-request": handleRequest } = plan.exports[HANDLER] ?? {};
  if (getAccessLevels === undefined || handleRequest === undefined)
    throw new HostError("load-failed", `the component does not export ${HANDLER}`);
  return new LinkerEngine(createLinkedComponent(plan, modules), { getAccessLevels, handleRequest });
}

class LinkerEngine implements Engine {
  readonly #linked: LinkedComponent;
  readonly #lifts: HandlerLifts;
  #shared: SharedState | undefined;

  constructor(linked: LinkedComponent, lifts: HandlerLifts) {
    this.#linked = linked;
    this.#lifts = lifts;
  }

  // Async, so that what guest code throws while it is instantiated is a rejection.
  async instantiate(context: GuestContext): Promise<Instance> {
    const suspension = new Suspension();
    const linked = new LinkedInstance(this.#linked, (name) => createImport(name, context), suspension);
    return new LinkerInstance(linked, this.#lifts, suspension, this.#firstState(linked, context));
  }

  #firstState(linked: LinkedInstance, context: GuestContext): FirstState | undefined {
    const { plan } = this.#linked;
    if (plan.freshness.kind === "fresh" || context.hasDrawnRandom) return undefined;
    this.#shared ??= takeSharedState(linked);
    return FirstState.of(linked, plan, this.#shared);
  }
}

class LinkerInstance implements Instance {
  readonly #linked: LinkedInstance;
  readonly #lifts: HandlerLifts;
  readonly #suspension: Suspension;
  readonly #firstState: FirstState | undefined;
  readonly #memories: readonly WebAssembly.Memory[];

  constructor(linked: LinkedInstance, lifts: HandlerLifts, suspension: Suspension, firstState: FirstState | undefined) {
    this.#linked = linked;
    this.#lifts = lifts;
    this.#suspension = suspension;
    this.#firstState = firstState;
    this.#memories = linked.memories();
  }

  get memoryBytes(): number {
    return this.#memories.reduce((bytes, { buffer }) => bytes + buffer.byteLength, 0);
  }

  restore(): boolean {
    return this.#firstState?.restore() ?? false;
  }

  destroy(): void {
    this.#suspension.end();
  }

  getAccessLevels(): LevelsOutcome | Promise<LevelsOutcome> {
    return this.#linked.call(this.#lifts.getAccessLevels, [], LEVELS);
  }

  handleRequest(request: RpcRequest): GuestOutcome | Promise<GuestOutcome> {
    return this.#linked.callAgain(this.#lifts.handleRequest, [request], RESPONSE);
  }
}

const LEVELS: Settlement<LevelsOutcome> = { returned: parseLevels, threw: describeTrap };

const RESPONSE: Settlement<GuestOutcome> = {
  returned(result) {
    const { tag, val } = (result ?? {}) as { readonly tag?: unknown; readonly val?: unknown };
    return tag === "err" ? parsePluginError(val) : parseResponse(val);
  },
  threw: describeTrap,
};
