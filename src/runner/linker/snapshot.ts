/**
 * Snapshots of instances, and the way back to them. `first-states.ts` says when they are taken. The state of an instance is its linear
 * memories, mutable globals and handles. Memories and globals are restored bit by bit, from one copy for all
 * instances of a component. Each instance has its own snapshot of handles, because the host's objects behind them are its
 * own.
 *
 * An instance is put back exactly or not at all. It is not put back where its memory has grown beyond its reserve, where it
 * began with other content than its siblings, or where it holds a resource of the host from its start that cannot return
 * to its state then.
 *
 * @module
 */

import { WASM_PAGE_BYTES } from "../../contract/component-limits.ts";
import type { LinkPlan } from "../../contract/link-plan.ts";
import { isKeptResource, NOTE_STATE, type PutBack } from "../guest/kept-resource.ts";
import { ComparedMemory } from "./compared-memory.ts";
import { type BoundGlobals, GlobalBits } from "./global-bits.ts";
import { GrowthReserve } from "./growth-reserve.ts";
import type { SavedHandles } from "./handle-table.ts";
import type { LinkedInstance } from "./linked-instance.ts";
import { NotedMemory } from "./noted-memory.ts";
import type { AttachedMemory, SavedMemory } from "./saved-memory.ts";

/** What the snapshots of one component's instances share. */
export class SharedSnapshot {
  readonly memories: readonly SavedMemory[];
  readonly globals: GlobalBits;
  readonly reserve = new GrowthReserve();
  /** For each memory of an instance: is its size hidden from the guest? */
  readonly hidden: readonly boolean[];

  /** Takes the state of an instance that has served no call. */
  constructor(instance: LinkedInstance, plan: LinkPlan) {
    const modules = plan.instances.flatMap(({ module }) => plan.modules[module] ?? []);
    this.hidden = modules.flatMap(({ memories, hidesGrowth }) => memories.map(() => hidesGrowth));
    this.memories = instance
      .memories()
      .map((memory) => (plan.changes.kind === "noted" ? new NotedMemory(memory) : new ComparedMemory(memory)));
    this.globals = new GlobalBits(instance.globalTypes());
    this.globals.save(this.globals.bind(instance.globals()));
  }
}

/** An instance's state at some moment before its first call, to which it can be put back. */
export class Snapshot {
  readonly #shared: SharedSnapshot;
  readonly #instance: LinkedInstance;
  readonly #memories: readonly AttachedMemory[];
  /** The size of each memory in bytes, including its reserve. */
  readonly #bytes: readonly number[];
  readonly #globals: BoundGlobals;
  /** Empty where the component has no resources, and so no handles. */
  readonly #handles: readonly SavedHandles[];
  readonly #resources: readonly PutBack[];

  private constructor(
    instance: LinkedInstance,
    shared: SharedSnapshot,
    state: {
      readonly memories: readonly AttachedMemory[];
      readonly globals: BoundGlobals;
      readonly handles: readonly SavedHandles[];
      readonly resources: readonly PutBack[];
    },
  ) {
    this.#shared = shared;
    this.#instance = instance;
    this.#memories = state.memories;
    this.#bytes = state.memories.map(({ memory }) => memory.buffer.byteLength);
    this.#globals = state.globals;
    this.#handles = state.handles;
    this.#resources = state.resources;
  }

  /** Takes a snapshot of an instance that has served no call; `undefined` where it could not be put back to it. */
  static of(instance: LinkedInstance, plan: LinkPlan, shared: SharedSnapshot): Snapshot | undefined {
    const memories = instance
      .memories()
      .flatMap((memory, index) => shared.memories[index]?.attach(memory, instance.changesOf(memory)) ?? []);
    const globals = shared.globals.bind(instance.globals());
    const resources = noteResources(instance, plan);
    const isLikeOthers = memories.every((memory) => memory.equals()) && shared.globals.equals(globals);
    if (!isLikeOthers || resources === undefined) return undefined;
    for (const [index, { memory }] of memories.entries()) if (shared.hidden[index]) shared.reserve.addTo(memory);
    for (const memory of memories) memory.begin();
    const handles = plan.resources.length === 0 ? [] : instance.components.map((component) => component.handles.save());
    return new Snapshot(instance, shared, { memories, globals, handles, resources });
  }

  /** Puts the instance back. False where that is impossible; then nothing has changed. */
  restore(): boolean {
    if (!this.checkSize()) return false;
    for (const memory of this.#memories) memory.restore();
    this.#shared.globals.restore(this.#globals);
    for (const [index, saved] of this.#handles.entries()) this.#instance.components[index]?.handles.restore(saved);
    for (const putBack of this.#resources) putBack();
    return true;
  }

  /** Has no memory grown since then? Where one has, later instances have a reserve that is large enough, if one is. */
  checkSize(): boolean {
    let isSame = true;
    for (const [index, { memory }] of this.#memories.entries()) {
      const { byteLength } = memory.buffer;
      if (byteLength === this.#bytes[index]) continue;
      isSame = false;
      const { hidden, memories, reserve } = this.#shared;
      if (hidden[index]) reserve.fit((byteLength - (memories[index]?.byteLength ?? 0)) / WASM_PAGE_BYTES);
    }
    return isSame;
  }
}

/** How to put back the host's resources that the instance holds; `undefined` where one of them cannot be put back. */
function noteResources(instance: LinkedInstance, { resources }: LinkPlan): PutBack[] | undefined {
  const noted: PutBack[] = [];
  for (const { handles } of instance.components) {
    for (const { resource, rep } of handles.all()) {
      // A resource that a component defines is a number, and its state is in the component's own memory.
      if (resources[resource]?.kind !== "imported") continue;
      const putBack = isKeptResource(rep) ? rep[NOTE_STATE]() : undefined;
      if (putBack === undefined) return undefined;
      noted.push(putBack);
    }
  }
  return noted;
}
