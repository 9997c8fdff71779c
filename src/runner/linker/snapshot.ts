/**
 * Snapshots of instances before their first call, and the way back to them. The state of an instance is its linear
 * memories, mutable globals and handles. Memories and globals are compared and restored bit by bit, from one copy for all
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
import { type BoundGlobals, GlobalBits } from "./global-bits.ts";
import { GrowthReserve } from "./growth-reserve.ts";
import type { SavedHandles } from "./handle-table.ts";
import type { LinkedInstance } from "./linked-instance.ts";
import { MemoryBlocks, type SavedBlocks, saveBlocks } from "./memory-blocks.ts";

/** What the snapshots of one component's instances share. */
export class SharedSnapshot {
  readonly memories: readonly SavedBlocks[];
  readonly globals: GlobalBits;
  readonly reserve = new GrowthReserve();
  /** For each memory of an instance: is its size hidden from the guest? */
  readonly hidden: readonly boolean[];

  /** Takes the state of an instance that has just been made. */
  constructor(instance: LinkedInstance, plan: LinkPlan) {
    const modules = plan.instances.flatMap(({ module }) => plan.modules[module] ?? []);
    this.hidden = modules.flatMap(({ memories, hidesGrowth }) => memories.map(() => hidesGrowth));
    this.memories = instance.memories().map(saveBlocks);
    this.globals = new GlobalBits(instance.globalTypes());
    this.globals.save(this.globals.bind(instance.globals()));
  }
}

/** An instance's state before its first call, to which it can be put back. */
export class Snapshot {
  readonly #shared: SharedSnapshot;
  readonly #instance: LinkedInstance;
  readonly #memories: readonly MemoryBlocks[];
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
      readonly memories: readonly MemoryBlocks[];
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

  /** Takes a snapshot of an instance that has just been made; `undefined` where it could not be put back to it. */
  static of(instance: LinkedInstance, plan: LinkPlan, shared: SharedSnapshot): Snapshot | undefined {
    const memories = instance.memories().map((memory) => new MemoryBlocks(memory));
    const globals = shared.globals.bind(instance.globals());
    const resources = noteResources(instance, plan);
    const isLikeOthers =
      memories.every((blocks, index) => blocks.equals(shared.memories[index] ?? [])) && shared.globals.equals(globals);
    if (!isLikeOthers || resources === undefined) return undefined;
    for (const [index, { memory }] of memories.entries()) if (shared.hidden[index]) shared.reserve.addTo(memory);
    const handles = plan.resources.length === 0 ? [] : instance.components.map((component) => component.handles.save());
    return new Snapshot(instance, shared, { memories, globals, handles, resources });
  }

  /** Puts the instance back. False where that is impossible; then nothing has changed. */
  restore(): boolean {
    if (!this.#hasItsSize()) return false;
    for (const [index, blocks] of this.#memories.entries()) blocks.restore(this.#shared.memories[index] ?? []);
    this.#shared.globals.restore(this.#globals);
    for (const [index, saved] of this.#handles.entries()) this.#instance.components[index]?.handles.restore(saved);
    for (const putBack of this.#resources) putBack();
    return true;
  }

  #hasItsSize(): boolean {
    let isSame = true;
    for (const [index, { memory }] of this.#memories.entries()) {
      const { byteLength } = memory.buffer;
      if (byteLength === this.#bytes[index]) continue;
      isSame = false;
      const { hidden, memories, reserve } = this.#shared;
      if (hidden[index]) reserve.fit((byteLength - savedBytes(memories[index] ?? [])) / WASM_PAGE_BYTES);
    }
    return isSame;
  }
}

function savedBytes(blocks: SavedBlocks): number {
  return blocks.reduce((bytes, block) => bytes + block.length, 0);
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
