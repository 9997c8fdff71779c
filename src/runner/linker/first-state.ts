/**
 * The state of instances before their first call, and how they get back to it: linear memories, mutable globals
 * and handles. Memories and globals are kept once for all instances of a component; handles are each instance's
 * own, since the host's objects behind them are.
 *
 * An instance is put back exactly or not at all. Not: where its memory has grown visibly or by too much, where
 * it began with other content than its siblings, or where it holds a resource of the host's from its start that
 * may have changed since.
 *
 * @module
 */

import type { LinkPlan, PlanResource } from "../../contract/link-plan.ts";
import type { SavedHandles } from "./handle-table.ts";
import type { LinkedInstance } from "./linked-instance.ts";
import { MemoryBlocks, type SavedBlocks, saveBlocks } from "./memory-blocks.ts";

/** By so much a memory may have grown unseen; comparing more would cost each later call more than a new instance. */
const MAX_GROWN_BYTES = 4 * 1024 * 1024;

/**
 * Resources that keep nothing of what a guest does with them. Streams that are held from the start are the
 * standard ones: what changes in them is whether an end was met and what is left of a permit.
 */
const UNCHANGING: ReadonlySet<string> = new Set([
  "local:network-host/key-value-store#key-value-store",
  "wasi:io/poll#pollable",
  "wasi:io/streams#input-stream",
  "wasi:io/streams#output-stream",
]);

/** What instances of one component have in common before their first call. */
export interface SharedState {
  readonly memories: readonly SavedBlocks[];
  readonly globals: readonly (number | bigint)[];
}

/** Takes the state of an instance that has just been made. */
export function takeSharedState(instance: LinkedInstance): SharedState {
  return {
    memories: instance.memories().map(saveBlocks),
    globals: instance.globals().map(({ value }) => value),
  };
}

/** An instance that can be put back. */
export class FirstState {
  readonly #shared: SharedState;
  readonly #instance: LinkedInstance;
  readonly #memories: readonly RestorableMemory[];
  readonly #globals: readonly WebAssembly.Global[];
  readonly #handles: readonly SavedHandles[];

  private constructor(instance: LinkedInstance, shared: SharedState, memories: readonly RestorableMemory[]) {
    this.#shared = shared;
    this.#instance = instance;
    this.#memories = memories;
    this.#globals = instance.globals();
    this.#handles = instance.components.map(({ handles }) => handles.save());
  }

  /** Notes the state of an instance that has just been made; `undefined` where it could not be put back. */
  static of(instance: LinkedInstance, plan: LinkPlan, shared: SharedState): FirstState | undefined {
    const hidden = plan.instances.flatMap(({ module }) => {
      const { memories = [], hidesGrowth = false } = plan.modules[module] ?? {};
      return memories.map(() => hidesGrowth);
    });
    const memories = instance.memories().map((memory, index) => ({
      blocks: new MemoryBlocks(memory),
      maxBytes: memory.buffer.byteLength + (hidden[index] === true ? MAX_GROWN_BYTES : 0),
    }));
    const globals = instance.globals();
    const isLikeOthers =
      memories.every(({ blocks }, index) => blocks.equals(shared.memories[index] ?? [])) &&
      globals.every(({ value }, index) => Object.is(value, shared.globals[index]));
    if (!isLikeOthers || !holdsUnchangingOnly(instance, plan.resources)) return undefined;
    return new FirstState(instance, shared, memories);
  }

  /** Puts the instance back; false where that cannot be done, and then nothing was changed. */
  restore(): boolean {
    if (this.#memories.some(({ blocks, maxBytes }) => blocks.memory.buffer.byteLength > maxBytes)) return false;
    for (const [index, { blocks }] of this.#memories.entries()) blocks.restore(this.#shared.memories[index] ?? []);
    for (const [index, global] of this.#globals.entries()) {
      const before = this.#shared.globals[index];
      if (before !== undefined && !Object.is(global.value, before)) global.value = before;
    }
    for (const [index, saved] of this.#handles.entries()) this.#instance.components[index]?.handles.restore(saved);
    return true;
  }
}

interface RestorableMemory {
  readonly blocks: MemoryBlocks;
  readonly maxBytes: number;
}

function holdsUnchangingOnly(instance: LinkedInstance, resources: readonly PlanResource[]): boolean {
  return instance.components.every(({ handles }) =>
    handles.every(({ resource }) => {
      const definition = resources[resource];
      // What a component defines is a number in its own memory.
      if (definition?.kind !== "imported") return true;
      return UNCHANGING.has(`${definition.interface.replace(/@.*$/, "")}#${definition.name}`);
    }),
  );
}
