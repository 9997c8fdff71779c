/**
 * Loads of plugins, side by side. The loads of one plugin run one after another, and waiting ones are merged. No
 * plugin waits long for another's load: a slow load gives its place away.
 *
 * @module
 */

import { Gate } from "./gate.ts";
import type { PluginSlot } from "./plugin-slot.ts";

/** Loads that run at a time: most of them only read files. */
const CONCURRENT_LOADS = 16;
/** A load that takes longer compiles, or waits for something. */
const HOLD_MS = 1_000;

export class LoadQueue {
  readonly #load: (slot: PluginSlot) => Promise<void>;
  readonly #gate = new Gate({ places: CONCURRENT_LOADS, holdMs: HOLD_MS });
  readonly #waiting = new Set<PluginSlot>();
  readonly #underWay = new Map<PluginSlot, Promise<void>>();

  /** `load` must not reject. */
  constructor(load: (slot: PluginSlot) => Promise<void>) {
    this.#load = load;
  }

  /** Starts a load of the slot. Resolves when nothing remains to be loaded for it. */
  add(slot: PluginSlot): Promise<void> {
    this.#waiting.add(slot);
    const underWay = this.#underWay.get(slot) ?? this.#work(slot);
    this.#underWay.set(slot, underWay);
    return underWay;
  }

  /** Drops a slot's waiting load. */
  remove(slot: PluginSlot): void {
    this.#waiting.delete(slot);
  }

  async #work(slot: PluginSlot): Promise<void> {
    while (this.#waiting.has(slot)) {
      await this.#gate.run(async () => {
        if (this.#waiting.delete(slot)) await this.#load(slot);
      });
    }
    this.#underWay.delete(slot);
  }
}
