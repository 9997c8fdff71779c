/**
 * The engine for link plans: one implementation of the canonical ABI for all plugins, prepared once for a component and
 * used by all its instances.
 *
 * After a call, an instance is put back to its first state where that can be done exactly: to the one after its start
 * functions or, where those were told what no two instances may share, to the one before them (`first-states.ts`).
 *
 * @module
 */

import { HANDLER } from "../../contract/interface-names.ts";
import type { LinkPlan } from "../../contract/link-plan.ts";
import type { RpcRequest } from "../../contract/request.ts";
import { HostError } from "../../errors/host-error.ts";
import type { Due, Engine, GuestOutcome, Instance, LevelsOutcome, Restoration, Stopped } from "../engine.ts";
import type { GuestContext } from "../guest/guest-context.ts";
import { describeTrap, parseLevels, parsePluginError, parseResponse } from "../guest-outcome.ts";
import { createImport } from "../imports.ts";
import type { StopFlag } from "../stopping/stop-flag.ts";
import { StoppedError } from "../stopping/stopped-error.ts";
import type { StopFlags } from "../stopping/stop-flags.ts";
import { Suspension } from "../suspension.ts";
import type { Settlement } from "./canon.ts";
import { type FirstState, FirstStates } from "./first-states.ts";
import type { InstanceAudit } from "./instance-audit.ts";
import { createLinkedComponent, type LinkedComponent } from "./linked-component.ts";
import { LinkedInstance } from "./linked-instance.ts";

/** The contract's exports, by index of the plan's lifts. */
interface HandlerLifts {
  readonly getAccessLevels: number;
  readonly handleRequest: number;
}

export interface LinkerOptions {
  /** Sees the instances. */
  readonly audit?: InstanceAudit | undefined;
  /** The most pages that one memory may have in this process, where that is less than addresses reach. */
  readonly memoryPages?: number;
}

export class LinkerEngine implements Engine {
  readonly #linked: LinkedComponent;
  readonly #lifts: HandlerLifts;
  readonly #flags: StopFlags;
  readonly #audit: InstanceAudit | undefined;
  readonly #firstStates: FirstStates;

  /** @param modules the plan's modules, compiled, in the plan's order */
  constructor(plan: LinkPlan, modules: readonly WebAssembly.Module[], flags: StopFlags, options: LinkerOptions = {}) {
    const { "get-access-levels": getAccessLevels, "handle-request": handleRequest } = plan.exports[HANDLER] ?? {};
    if (getAccessLevels === undefined || handleRequest === undefined)
      throw new HostError("load-failed", `the component does not export ${HANDLER}`);
    this.#linked = createLinkedComponent(plan, modules, options.memoryPages);
    this.#lifts = { getAccessLevels, handleRequest };
    this.#flags = flags;
    this.#audit = options.audit;
    this.#firstStates = new FirstStates(plan, options.audit);
  }

  // Async, so that an error of guest code during instantiation becomes a rejection.
  async instantiate(context: GuestContext, due?: Due): Promise<Instance> {
    const suspension = new Suspension();
    const flag = this.#flags.take();
    const ended = (): void => this.#flags.giveBack(flag);
    try {
      return runUntil(flag, due, () => {
        const linked = new LinkedInstance(this.#linked, (name) => createImport(name, context), suspension, flag.memory);
        const first = this.#firstStates.start(linked);
        this.#audit?.noteStarted(linked);
        return new LinkerInstance(linked, this.#lifts, suspension, { context, flag, ended, first, audit: this.#audit });
      });
    } catch (thrown) {
      ended();
      throw thrown;
    }
  }
}

/** What belongs to one instance of the engine. */
interface InstanceParts {
  readonly context: GuestContext;
  readonly flag: StopFlag;
  /** The instance ends: its flag is not its own any more. */
  readonly ended: () => void;
  /** What it is put back to, if it can be. */
  readonly first: FirstState | undefined;
  readonly audit: InstanceAudit | undefined;
}

class LinkerInstance implements Instance {
  readonly #linked: LinkedInstance;
  readonly #lifts: HandlerLifts;
  readonly #suspension: Suspension;
  readonly #parts: InstanceParts;
  readonly #memories: readonly WebAssembly.Memory[];
  readonly #levels: Settlement<LevelsOutcome>;
  readonly #response: Settlement<GuestOutcome>;
  #state: "live" | "ended" = "live";

  constructor(linked: LinkedInstance, lifts: HandlerLifts, suspension: Suspension, parts: InstanceParts) {
    this.#linked = linked;
    this.#lifts = lifts;
    this.#suspension = suspension;
    this.#parts = parts;
    this.#memories = linked.memories();
    this.#levels = this.#stoppable({ returned: parseLevels, threw: describeTrap });
    this.#response = this.#stoppable({ returned: parseResult, threw: describeTrap });
  }

  get memoryBytes(): number {
    return this.#memories.reduce((bytes, { buffer }) => bytes + buffer.byteLength, 0);
  }

  restore(): Restoration {
    const { first, audit, context } = this.#parts;
    if (first === undefined || !first.snapshot.restore()) return "impossible";
    audit?.checkRestored(this.#linked);
    if (first.kind === "unstarted") return "unstarted";
    context.renew();
    return "ready";
  }

  start(due?: Due): void {
    const { context, flag, audit } = this.#parts;
    context.reset();
    runUntil(flag, due, () => this.#linked.start());
    audit?.noteStarted(this.#linked);
  }

  destroy(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#suspension.end();
    this.#parts.ended();
  }

  getAccessLevels(due?: Due): LevelsOutcome | Promise<LevelsOutcome> {
    if (due !== undefined) this.#parts.flag.begin(due);
    return this.#linked.call(this.#lifts.getAccessLevels, [], this.#levels);
  }

  handleRequest(request: RpcRequest, due?: Due): GuestOutcome | Promise<GuestOutcome> {
    if (due !== undefined) this.#parts.flag.begin(due);
    return this.#linked.callAgain(this.#lifts.handleRequest, [request], this.#response);
  }

  /**
   * The settlement of runs that may be stopped. A run that was to be stopped counts as stopped however it ended: it may have
   * returned at that moment, or trapped.
   */
  #stoppable<Outcome>({ returned, threw }: Settlement<Outcome>): Settlement<Outcome | Stopped> {
    return {
      returned: (value) => (this.#endRun() ? STOPPED : returned(value)),
      threw: (thrown) => (this.#endRun() ? STOPPED : threw(thrown)),
    };
  }

  /** Was the run stopped? Of an instance that was destroyed meanwhile, nobody asks any more. */
  #endRun(): boolean {
    return this.#state === "live" && this.#parts.flag.end();
  }
}

/** Runs start functions, which are stopped at that moment. Throws what they throw, or {@link StoppedError} where they were stopped. */
function runUntil<Value>(flag: StopFlag, due: Due, run: () => Value): Value {
  if (due !== undefined) flag.begin(due);
  let value: Value;
  try {
    value = run();
  } catch (thrown) {
    throw flag.end() ? new StoppedError() : thrown;
  }
  if (flag.end()) throw new StoppedError();
  return value;
}

const STOPPED: Stopped = { kind: "stopped" };

function parseResult(result: unknown): GuestOutcome {
  const { tag, val } = (result ?? {}) as { readonly tag?: unknown; readonly val?: unknown };
  return tag === "err" ? parsePluginError(val) : parseResponse(val);
}
