/**
 * One instance of a linked component: its core instances, and thin functions around the shared signatures that link them.
 * An item of the plan is looked up when it is first needed. By then it exists, because every index points backwards.
 *
 * @module
 */

import {
  type BitType,
  HOST_MODULE,
  type PlanItem,
  type PlanLower,
  type PlanMemory,
  type PlanModule,
} from "../../contract/link-plan.ts";
import { STOP_FLAG } from "../../contract/stop-flag.ts";
import { HostError } from "../../errors/host-error.ts";
import type { Namespace } from "../guest/namespaces.ts";
import type { Suspension } from "../suspension.ts";
import { LiftLowerContext, type Realloc } from "./lift-lower-context.ts";
import {
  canonLift,
  canonLiftSuspending,
  type CoreFunction,
  type LiftedFunction,
  canonLower,
  canonLowerAnywhere,
  canonLowerSuspending,
  type Settlement,
  type SuspendableFunction,
} from "./canon.ts";
import { ChangeMap } from "./change-map.ts";
import { ComponentInstance } from "./component-instance.ts";
import type { HostImport, LinkedComponent } from "./linked-component.ts";
import { LinearMemory } from "./linear-memory.ts";
import { createPollSwitch } from "./poll-switch.ts";
import { StandingCall } from "./standing-call.ts";
import { createResourceFunction, type ResourceOwner } from "./resource-functions.ts";
import { atOnce } from "./timekeeping.ts";

/** Returns the namespace of an interface, by its name without a version. */
export type NamespaceSource = (interfaceId: string) => Namespace | undefined;

/** What a core instance exports. */
type CoreExports = Readonly<Record<string, unknown>>;

export class LinkedInstance implements ResourceOwner {
  readonly components: readonly ComponentInstance[];
  readonly #linked: LinkedComponent;
  readonly #namespaceOf: NamespaceSource;
  readonly #suspension: Suspension;
  readonly #stopFlag: WebAssembly.Memory<SharedArrayBuffer>;
  readonly #core: CoreExports[] = [];
  readonly #contexts: LiftLowerContext[] = [];
  readonly #lifted: LiftedFunction[] = [];
  readonly #suspendable: SuspendableFunction[] = [];
  readonly #lowered: unknown[] = [];
  readonly #memories = new Map<WebAssembly.Memory, LinearMemory>();
  readonly #changes = new Map<WebAssembly.Memory, ChangeMap>();
  readonly #namespaces = new Map<string, Namespace | undefined>();
  #wasTold = false;

  /**
   * Instantiates all core modules. That runs the start functions that do not run later; throws what they throw.
   *
   * @param stopFlag the memory in which the instance's code looks whether to stop
   */
  constructor(
    linked: LinkedComponent,
    namespaceOf: NamespaceSource,
    suspension: Suspension,
    stopFlag: WebAssembly.Memory<SharedArrayBuffer>,
  ) {
    this.#linked = linked;
    this.#namespaceOf = namespaceOf;
    this.#suspension = suspension;
    this.#stopFlag = stopFlag;
    this.components = Array.from({ length: linked.plan.components }, () => new ComponentInstance());
    for (const { module, imports } of linked.plan.instances) {
      const given = Object.create(null) as Record<string, Record<string, unknown>>;
      for (const [from, name, item] of imports)
        (given[from] ??= Object.create(null) as Record<string, unknown>)[name] = this.#item(item);
      const planned = linked.plan.modules[module];
      if (planned !== undefined) given[HOST_MODULE] = this.#hostMemories(planned, given);
      this.#core.push(new WebAssembly.Instance(linked.modules[module] as WebAssembly.Module, given).exports);
    }
  }

  /**
   * Runs the start functions that run later, in the order of their modules. Call it before anything else, and again when the
   * instance was put back to its state before them. Throws what they throw.
   */
  start(): void {
    // Those of an earlier start may have kept something.
    this.#namespaces.clear();
    const { plan } = this.#linked;
    for (const [index, { module }] of plan.instances.entries()) {
      const name = plan.modules[module]?.start ?? null;
      if (name !== null) (this.#item({ kind: "export", instance: index, name }) as () => void)();
    }
  }

  /** Has it called a function of the host whose answer may differ from instance to instance? See `answers-alike.ts`. */
  get wasTold(): boolean {
    return this.#wasTold;
  }

  /** Its own memories, in the plan's order. */
  memories(): WebAssembly.Memory[] {
    return this.#stateOf(({ memories }) => memories.map(({ name }) => name)) as WebAssembly.Memory[];
  }

  /** What is noted of the changes to one of its memories; `undefined` where the plan has nothing noted. */
  changesOf(memory: WebAssembly.Memory): ChangeMap | undefined {
    if (this.#linked.plan.changes.kind === "compared") return undefined;
    let changes = this.#changes.get(memory);
    if (changes === undefined) this.#changes.set(memory, (changes = new ChangeMap(this.#linked.memoryPages)));
    return changes;
  }

  /** Its own mutable globals, in the plan's order. */
  globals(): WebAssembly.Global[] {
    return this.#stateOf(({ globals }) => globals.map(([name]) => name)) as WebAssembly.Global[];
  }

  /** The types of {@link globals}. */
  globalTypes(): BitType[] {
    const { plan } = this.#linked;
    return plan.instances.flatMap(({ module }) => plan.modules[module]?.globals.map(([, type]) => type) ?? []);
  }

  /**
   * Calls an exported function, by index of the plan's lifts. Neither throws nor rejects: what the guest throws goes to the
   * settlement. Where the component cannot suspend, the outcome is returned at once.
   */
  call<Outcome>(lift: number, values: readonly unknown[], settlement: Settlement<Outcome>): Outcome | Promise<Outcome> {
    return this.#call(lift, values, settlement, ({ core }) => WebAssembly.promising(core) as SuspendableFunction);
  }

  /**
   * Like {@link call}, for the one function of an instance that is called again and again: the stack that suspends is kept
   * for the next call, until the suspension ends. From the second call on, the guest begins in a microtask.
   */
  callAgain<Outcome>(
    lift: number,
    values: readonly unknown[],
    settlement: Settlement<Outcome>,
  ): Outcome | Promise<Outcome> {
    return this.#call(lift, values, settlement, ({ core }) => this.#standingCall(lift, core));
  }

  #call<Outcome>(
    lift: number,
    values: readonly unknown[],
    settlement: Settlement<Outcome>,
    suspendable: (lifted: LiftedFunction) => SuspendableFunction,
  ): Outcome | Promise<Outcome> {
    try {
      const lifted = this.#lift(lift);
      if (!this.#linked.suspends) return settlement.returned(canonLift(lifted, values));
      return canonLiftSuspending(lifted, (this.#suspendable[lift] ??= suspendable(lifted)), values, settlement);
    } catch (thrown) {
      return settlement.threw(thrown);
    }
  }

  #standingCall(lift: number, core: CoreFunction): SuspendableFunction {
    const { plan } = this.#linked;
    const { signature } = plan.lifts[lift] as (typeof plan.lifts)[number];
    const standing = new StandingCall(this.#linked.standingLoop(signature), core, this.#suspension);
    return (...flat) => standing.call(flat);
  }

  destroyResource(destructor: PlanItem | null, rep: unknown): void {
    if (destructor !== null) (this.#item(destructor) as CoreFunction)(rep as number);
  }

  /** The memories that the host gives to a core instance; `given` is what else it gets. */
  #hostMemories(
    { memories, changeMaps, checksStopFlag }: PlanModule,
    given: WebAssembly.Imports,
  ): Record<string, unknown> {
    const own = memories.map(({ imported }) => (imported === null ? undefined : createMemory(imported)));
    const made = Object.create(null) as Record<string, unknown>;
    if (checksStopFlag) made[STOP_FLAG] = this.#stopFlag;
    for (const [index, { name }] of memories.entries()) if (own[index] !== undefined) made[name] = own[index];
    for (const { name, memory } of changeMaps) {
      const noted = memory.kind === "own" ? own[memory.index] : given[memory.module]?.[memory.name];
      made[name] = this.changesOf(expectMemory(noted))?.memory;
    }
    return made;
  }

  #stateOf(namesOf: (module: LinkedComponent["plan"]["modules"][number]) => readonly string[]): unknown[] {
    const { plan } = this.#linked;
    return plan.instances.flatMap(({ module }, index) => {
      const planned = plan.modules[module];
      return planned === undefined ? [] : namesOf(planned).map((name) => this.#core[index]?.[name]);
    });
  }

  #item(item: PlanItem): unknown {
    switch (item.kind) {
      case "export": {
        const value = this.#core[item.instance]?.[item.name];
        if (value === undefined) throw new HostError("load-failed", "a core instance lacks an export that it needs");
        return value;
      }
      case "lower":
        return (this.#lowered[item.index] ??= this.#lower(item.index));
      case "resource-new":
      case "resource-rep":
      case "resource-drop":
        return createResourceFunction(this, this.#linked.plan, item);
    }
  }

  #lower(index: number): unknown {
    const { plan, signatures, hostImports } = this.#linked;
    const { signature: signatureIndex, options, target } = plan.lowers[index] as PlanLower;
    const signature = signatures[signatureIndex] as LinkedComponent["signatures"][number];
    const cx = this.#context(options);
    if (target.kind === "lift")
      return canonLower(signature, cx, (values) => canonLift(this.#lift(target.index), values));
    const host = hostImports[index] as HostImport;
    const call = this.#hostCall(host);
    if (!host.suspends) return (host.tellsTime ? canonLowerAnywhere : canonLower)(signature, cx, call);
    const wait = new WebAssembly.Suspending(canonLowerSuspending(signature, cx, this.#suspension, call) as never);
    if (!host.tellsTime) return wait;
    const look = canonLowerAnywhere(signature, cx, (values) => atOnce(call(values)));
    return createPollSwitch({ mayWait: () => Number(cx.inst.mayWait), wait, look });
  }

  #hostCall(host: HostImport): (values: readonly unknown[]) => unknown {
    if (host.answersAlike) return (values) => host.call(this.#namespace(host.interface), values);
    return (values) => {
      this.#wasTold = true;
      return host.call(this.#namespace(host.interface), values);
    };
  }

  #namespace(interfaceId: string): Namespace | undefined {
    let namespace = this.#namespaces.get(interfaceId);
    if (namespace === undefined) this.#namespaces.set(interfaceId, (namespace = this.#namespaceOf(interfaceId)));
    return namespace;
  }

  #lift(index: number): LiftedFunction {
    const known = this.#lifted[index];
    if (known !== undefined) return known;
    const { plan, signatures } = this.#linked;
    const { signature, options, core, postReturn } = plan.lifts[index] as (typeof plan.lifts)[number];
    const lifted: LiftedFunction = {
      signature: signatures[signature] as LinkedComponent["signatures"][number],
      cx: this.#context(options),
      core: this.#item(core) as CoreFunction,
      postReturn: postReturn === null ? undefined : (this.#item(postReturn) as CoreFunction),
    };
    this.#lifted[index] = lifted;
    return lifted;
  }

  #context(index: number): LiftLowerContext {
    const known = this.#contexts[index];
    if (known !== undefined) return known;
    const { plan } = this.#linked;
    const { component, encoding, memory, realloc } = plan.options[index] as (typeof plan.options)[number];
    const cx = new LiftLowerContext({
      inst: this.components[component] as ComponentInstance,
      instIndex: component,
      encoding,
      memory: memory === null ? undefined : this.#memory(this.#item(memory)),
      realloc: realloc === null ? undefined : (this.#item(realloc) as Realloc),
    });
    this.#contexts[index] = cx;
    return cx;
  }

  #memory(memory: unknown): LinearMemory {
    const found = expectMemory(memory);
    let linear = this.#memories.get(found);
    if (linear === undefined) this.#memories.set(found, (linear = new LinearMemory(found, this.changesOf(found))));
    return linear;
  }
}

function createMemory({ minPages, maxPages }: NonNullable<PlanMemory["imported"]>): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: minPages, ...(maxPages !== null && { maximum: maxPages }) });
}

function expectMemory(value: unknown): WebAssembly.Memory {
  if (value instanceof WebAssembly.Memory) return value;
  throw new HostError("load-failed", "an export that should be a memory is not one");
}
