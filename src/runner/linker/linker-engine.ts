/**
 * The engine for link plans: one implementation of the canonical ABI for all plugins, prepared once for a component and
 * used by all its instances.
 *
 * After a call, an instance is put back to its first state where that can be done exactly. It is not where the host gave it
 * an answer before its first call that differs from instance to instance, such as the time or a random value: that
 * answer would be the same in every request.
 *
 * @module
 */

import { HANDLER } from "../../contract/interface-names.ts";
import type { LinkPlan } from "../../contract/link-plan.ts";
import type { RpcRequest } from "../../contract/request.ts";
import { HostError } from "../../errors/host-error.ts";
import type { Engine, GuestOutcome, Instance, LevelsOutcome } from "../engine.ts";
import type { GuestContext } from "../guest/guest-context.ts";
import { describeTrap, parseLevels, parsePluginError, parseResponse } from "../guest-outcome.ts";
import { createImport } from "../imports.ts";
import { Suspension } from "../suspension.ts";
import type { Settlement } from "./canon.ts";
import { Snapshot, SharedSnapshot } from "./snapshot.ts";
import type { InstanceAudit } from "./instance-audit.ts";
import { createLinkedComponent, type LinkedComponent } from "./linked-component.ts";
import { LinkedInstance } from "./linked-instance.ts";

/** The contract's exports, by index of the plan's lifts. */
interface HandlerLifts {
  readonly getAccessLevels: number;
  readonly handleRequest: number;
}

export class LinkerEngine implements Engine {
  readonly #linked: LinkedComponent;
  readonly #lifts: HandlerLifts;
  readonly #audit: InstanceAudit | undefined;
  #shared: SharedSnapshot | undefined;

  /** @param modules the plan's modules, compiled, in the plan's order */
  constructor(plan: LinkPlan, modules: readonly WebAssembly.Module[], audit?: InstanceAudit) {
    const { "get-access-levels": getAccessLevels, "handle-request": handleRequest } = plan.exports[HANDLER] ?? {};
    if (getAccessLevels === undefined || handleRequest === undefined)
      throw new HostError("load-failed", `the component does not export ${HANDLER}`);
    this.#linked = createLinkedComponent(plan, modules);
    this.#lifts = { getAccessLevels, handleRequest };
    this.#audit = audit;
  }

  // Async, so that an error of guest code during instantiation becomes a rejection.
  async instantiate(context: GuestContext): Promise<Instance> {
    const suspension = new Suspension();
    const linked = new LinkedInstance(this.#linked, (name) => createImport(name, context), suspension);
    const snapshot = this.#snapshot(linked);
    if (snapshot !== undefined) this.#audit?.noteSnapshot(linked);
    return new LinkerInstance(linked, this.#lifts, suspension, snapshot, this.#audit);
  }

  #snapshot(linked: LinkedInstance): Snapshot | undefined {
    const { plan } = this.#linked;
    if (plan.freshness.kind === "fresh" || linked.wasTold) return undefined;
    this.#shared ??= new SharedSnapshot(linked, plan);
    return Snapshot.of(linked, plan, this.#shared);
  }
}

class LinkerInstance implements Instance {
  readonly #linked: LinkedInstance;
  readonly #lifts: HandlerLifts;
  readonly #suspension: Suspension;
  readonly #snapshot: Snapshot | undefined;
  readonly #audit: InstanceAudit | undefined;
  readonly #memories: readonly WebAssembly.Memory[];

  constructor(
    linked: LinkedInstance,
    lifts: HandlerLifts,
    suspension: Suspension,
    snapshot: Snapshot | undefined,
    audit: InstanceAudit | undefined,
  ) {
    this.#linked = linked;
    this.#lifts = lifts;
    this.#suspension = suspension;
    this.#snapshot = snapshot;
    this.#audit = audit;
    this.#memories = linked.memories();
  }

  get memoryBytes(): number {
    return this.#memories.reduce((bytes, { buffer }) => bytes + buffer.byteLength, 0);
  }

  restore(): boolean {
    const isRestored = this.#snapshot?.restore() ?? false;
    if (isRestored) this.#audit?.checkRestored(this.#linked);
    return isRestored;
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
