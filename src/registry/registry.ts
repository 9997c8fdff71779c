/**
 * The plugins of a replica: one slot each, loaded at the start and reloaded when a component or a policy file
 * changes. What cannot be loaded is reported and does not stop the others.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { toHostError } from "../errors/host-error.ts";
import { FileWatcher } from "./file-watcher.ts";
import type { PluginLoader, PluginSpec } from "./plugin-loader.ts";
import { PluginSlot, type ReloadOutcome } from "./plugin-slot.ts";

/** What the configuration asks for at one moment. */
export interface RegistryPlan {
  readonly specs: readonly PluginSpec[];
  /** Files and folders whose change means that the plan may have changed; component files are watched anyway. */
  readonly watched: readonly string[];
}

/** Told of what happens to plugins. */
export interface RegistryEvents {
  /** `spec` was loaded or reloaded with this outcome; `unchanged` is not reported. */
  loaded(spec: PluginSpec, outcome: ReloadOutcome, durationMs: number): void;
  /** A plugin is new in the plan and its first load has ended, well or not: begin to take its requests. */
  added(slot: PluginSlot): void;
  /** A plugin is no longer in the plan: stop serving it. Its runner is ended when this resolves. */
  removed(slot: PluginSlot): Promise<void>;
  /** The configuration could not be read anew: everything stays as it was. */
  planFailed(error: unknown): void;
}

/** Loads that go on at a time: most of them only read files. */
const CONCURRENT_LOADS = 16;

export class Registry implements AsyncDisposable {
  readonly #loader: PluginLoader;
  readonly #plan: () => Promise<RegistryPlan>;
  readonly #events: RegistryEvents;
  readonly #slots = new Map<PluginName, PluginSlot>();
  readonly #watcher: FileWatcher;
  #watched: ReadonlySet<string> = new Set();
  #reloading: Promise<void> | undefined;
  /** Files that changed and were not followed yet. */
  #changed = new Set<string>();

  /** `plan` reads the configuration; it is called at the start and after each change. */
  constructor(loader: PluginLoader, plan: () => Promise<RegistryPlan>, events: RegistryEvents) {
    this.#loader = loader;
    this.#plan = plan;
    this.#events = events;
    this.#watcher = new FileWatcher(
      () => [...this.#watched, ...[...this.#slots.values()].map((slot) => slot.spec.componentPath)],
      (changed) => void this.#reload(changed),
    );
  }

  /** The plugins that are served now. */
  get slots(): ReadonlyMap<PluginName, PluginSlot> {
    return this.#slots;
  }

  /**
   * Reads the plan and loads every plugin; resolves when each one has been tried. Throws only where the
   * configuration itself is invalid (`config-invalid`).
   */
  async open(): Promise<void> {
    const plan = await this.#plan();
    const added = this.#adopt(plan);
    // Watched from before the first load, so that a change during it is not missed.
    await this.#watcher.open();
    await this.#load(plan.specs, added);
  }

  /** Ends loads under way: nothing new will serve. What serves goes on. */
  giveUpLoads(): void {
    this.#watcher.close();
    this.#loader.giveUp();
  }

  /** Ends all runners. Requests still on one are settled as lost, so drain the consumer first. Idempotent. */
  async close(): Promise<void> {
    this.giveUpLoads();
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reloads what changed. Changes during a reload cause one more. Never rejects. */
  #reload(changed: ReadonlySet<string>): Promise<void> {
    for (const path of changed) this.#changed.add(path);
    this.#reloading ??= this.#reloadUntilStill().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  async #reloadUntilStill(): Promise<void> {
    while (this.#changed.size > 0) {
      const changed = this.#changed;
      this.#changed = new Set();
      try {
        if (changed.isDisjointFrom(this.#watched)) await this.#reloadComponents(changed);
        else await this.#follow(await this.#plan(), changed);
      } catch (error) {
        this.#events.planFailed(toHostError(error));
      }
    }
  }

  /** The configuration is as it was: among thousands of plugins, only those whose component changed are looked at. */
  async #reloadComponents(changed: ReadonlySet<string>): Promise<void> {
    const specs = [...this.#slots.values()].map(({ spec }) => spec);
    const affected = specs.filter(({ componentPath }) => changed.has(componentPath));
    await this.#load(affected, new Set());
  }

  /** Of the plugins that stay, those are looked at for which something changed or which are not as they should be. */
  async #follow(plan: RegistryPlan, changed: ReadonlySet<string>): Promise<void> {
    const planned = new Set(plan.specs.map(({ name }) => name));
    const removed = [...this.#slots.values()].filter(({ name }) => !planned.has(name));
    const added = this.#adopt(plan);
    const due = plan.specs.filter(
      (spec) => changed.has(spec.componentPath) || this.#slots.get(spec.name)?.follows(spec) !== true,
    );
    await this.#load(due, added);
    for (const slot of removed) {
      await this.#events.removed(slot);
      this.#slots.delete(slot.name);
      await slot.retire();
    }
  }

  /** Makes a slot for each plugin that is new in the plan; the result names them. */
  #adopt(plan: RegistryPlan): ReadonlySet<PluginName> {
    this.#watched = new Set(plan.watched);
    const added = plan.specs.filter(({ name }) => !this.#slots.has(name));
    for (const spec of added) this.#slots.set(spec.name, new PluginSlot(spec, this.#loader));
    return new Set(added.map(({ name }) => name));
  }

  /** Loads with a few at a time; each takes the next one when it is done. A new plugin waits for no other one. */
  async #load(specs: readonly PluginSpec[], added: ReadonlySet<PluginName>): Promise<void> {
    const waiting = specs.values();
    const work = async (): Promise<void> => {
      for (const spec of waiting) await this.#loadOne(spec, added.has(spec.name));
    };
    await Promise.all(Array.from({ length: CONCURRENT_LOADS }, work));
  }

  async #loadOne(spec: PluginSpec, isNew: boolean): Promise<void> {
    const startMs = performance.now();
    const slot = this.#slots.get(spec.name);
    if (slot === undefined) return;
    const outcome = await slot.reload(spec);
    if (isNew) this.#events.added(slot);
    if (outcome.kind !== "unchanged") this.#events.loaded(spec, outcome, performance.now() - startMs);
  }
}
