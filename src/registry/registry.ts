/**
 * The plugins of a replica: one slot each, loaded at the start and reloaded when a component or a policy file
 * changes. What cannot be loaded is reported and does not stop the others.
 *
 * A plan is read, and what it takes away is in force, before anything is loaded for it; and the next plan is read while
 * that goes on. One that could not be read as it is now is tried again.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { type HostError, toHostError } from "../errors/host-error.ts";
import { FileWatcher } from "./file-watcher.ts";
import { LoadQueue } from "./load-queue.ts";
import { LoadRetries } from "./load-retries.ts";
import type { PluginLoader, PluginSpec } from "./plugin-loader.ts";
import { PluginSlot, type ReloadOutcome } from "./plugin-slot.ts";
import type { ReadContents } from "./read-contents.ts";

/** What the configuration asks for at one moment. */
export interface RegistryPlan {
  readonly specs: readonly PluginSpec[];
  /** Files and folders whose change means that the plan may have changed; component files are watched anyway. */
  readonly watched: readonly string[];
  /** `stale`: a part of it is what was read earlier, since it cannot be read now. */
  readonly state: "current" | "stale";
}

/** Told of what happens to plugins. */
export interface RegistryEvents {
  /**
   * A plugin was loaded or reloaded with this outcome; `unchanged` is not reported. It is tried again in `retryMs`, where
   * that is told.
   */
  loaded(spec: PluginSpec, outcome: ReloadOutcome, durationMs: number, retryMs: number | undefined): void;
  /**
   * A load of the plugin has ended, well or not: what the slot offers may be something else than before. Resolves when
   * that is in force for its requests; `loaded` follows.
   */
  settled(slot: PluginSlot): Promise<void>;
  /** A plugin is no longer in the plan, and may do nothing any more. Resolves when its requests are no longer taken. */
  removed(slot: PluginSlot): Promise<void>;
  /**
   * A plan took something away from a plugin, which is in force; `taken` says what, in words. `sinceMs` is the time since
   * the change was seen.
   */
  narrowed(slot: PluginSlot, taken: readonly string[], sinceMs: number): void;
  /** All that a plan takes away is in force: now is the time to look at what is in flight. */
  confined(): void;
  /** The configuration could not be read anew: everything stays as it was. */
  planFailed(error: unknown): void;
}

/** What a registry works with. */
export interface RegistryOptions {
  readonly loader: PluginLoader;
  /**
   * Reads the configuration: at the start, after each change and, where it could not be read, again and again. The
   * `changed` files are read again, whatever their times say.
   */
  readonly plan: (changed: ReadonlySet<string>) => Promise<RegistryPlan>;
  readonly events: RegistryEvents;
  /** What was read of the files. */
  readonly contents: ReadContents;
}

/** A plan that could not be read as it is now is tried again so often. */
const RETRY_MS = 5_000;

/** Files that changed, and when that was seen. */
interface SeenChange {
  readonly paths: ReadonlySet<string>;
  readonly seenMs: number;
}

const NOTHING_SEEN: SeenChange = { paths: new Set(), seenMs: 0 };

export class Registry implements AsyncDisposable {
  readonly #parts: RegistryOptions;
  readonly #slots = new Map<PluginName, PluginSlot>();
  /** Plugins that were removed and whose requests are still taken back. */
  readonly #leaving = new Map<PluginName, Promise<void>>();
  /** Slots that were removed and have requests to answer, or a load to end. */
  readonly #withdrawn = new Set<Promise<void>>();
  readonly #loads = new LoadQueue((slot) => this.#load(slot));
  readonly #retries = new LoadRetries((slot) => void this.#loads.add(slot));
  readonly #watcher: FileWatcher;
  #watched: ReadonlySet<string> = new Set();
  /** Files that changed and were not followed yet. */
  #changed = new Set<string>();
  /** When the first of them was seen. */
  #seenMs = 0;
  /** Is the plan to be read, whatever changed? */
  #isPlanDue = false;
  #isPlanGood = false;
  #planFailure: HostError | undefined;
  #lastGoodMs: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #state: "opening" | "idle" | "following" | "closed" = "opening";
  #isPlanned = false;
  /** Whoever waits for {@link reread} and whose reading has not begun. */
  #due: (() => void)[] = [];
  /** All who wait for it. */
  readonly #rereads = new Set<() => void>();

  constructor(parts: RegistryOptions) {
    this.#parts = parts;
    this.#watcher = new FileWatcher({
      paths: () => [...this.#watched, ...[...this.#slots.values()].map((slot) => slot.spec.componentPath)],
      changed: (changed) => this.#note(changed),
      contents: parts.contents,
    });
  }

  /**
   * Was the plan read without a fault, and when was it last, as `Date.now()` counts? `failure` is why it could not be read
   * at all when it was tried last.
   */
  get lastReload(): {
    readonly isGood: boolean;
    readonly lastGoodMs: number | undefined;
    readonly failure: HostError | undefined;
  } {
    return { isGood: this.#isPlanGood, lastGoodMs: this.#lastGoodMs, failure: this.#planFailure };
  }

  /** Is it known which plugins there are to be? Before that there is none, which says nothing. */
  get isPlanned(): boolean {
    return this.#isPlanned;
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
    const { plan } = this.#parts;
    this.#adopt(await plan(new Set()), NOTHING_SEEN);
    this.#isPlanned = true;
    await this.#watcher.open();
    // Read once more: a change between the first reading and the first look would never be seen.
    const due = this.#adopt(await plan(new Set()), NOTHING_SEEN);
    this.#leaveOpening();
    await Promise.all(due.map((slot) => this.#loads.add(slot)));
  }

  /**
   * Reads the configuration and every component again, as if all of them had changed. Resolves when what they hold is in
   * force or has been refused, or when the registry is closed.
   */
  reread(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#isClosed()) return Promise.resolve();
    this.#due.push(resolve);
    this.#rereads.add(resolve);
    this.#isPlanDue = true;
    this.#note(new Set([...this.#watched, ...[...this.#slots.values()].map(({ spec }) => spec.componentPath)]));
    return promise;
  }

  /** Ends loads in progress: nothing new will serve. What serves goes on. */
  giveUpLoads(): void {
    this.#state = "closed";
    clearTimeout(this.#retry);
    this.#retries.close();
    this.#watcher.close();
    this.#parts.loader.giveUp();
    this.#endRereads([...this.#rereads]);
  }

  /** Ends all runners. Requests still on one are settled as lost, so drain the consumer first. Idempotent. */
  async close(): Promise<void> {
    this.giveUpLoads();
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
    await Promise.all(this.#withdrawn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One reading at a time: what changed while the first ones went on is followed from now on. */
  #leaveOpening(): void {
    if (this.#state !== "opening") return;
    this.#state = "idle";
    if (this.#changed.size > 0 || this.#isPlanDue) void this.#followUntilStill();
  }

  /** Follows what changed. Changes meanwhile are followed right after. */
  #note(changed: ReadonlySet<string>): void {
    if (this.#changed.size === 0) this.#seenMs = performance.now();
    for (const path of changed) this.#changed.add(path);
    if (this.#state === "idle") void this.#followUntilStill();
  }

  /** Never rejects. */
  async #followUntilStill(): Promise<void> {
    this.#state = "following";
    while (this.#changed.size > 0 || this.#isPlanDue) {
      const changed = this.#changed;
      const seenMs = this.#seenMs;
      this.#changed = new Set();
      const isPlanned = !this.#isPlanDue && changed.isDisjointFrom(this.#watched);
      this.#isPlanDue = false;
      const rereads = this.#due;
      this.#due = [];
      const due = isPlanned ? this.#componentsOf(changed) : await this.#replan(changed, seenMs);
      void this.#follow(due).then(() => this.#endRereads(rereads));
      // Closed meanwhile: what was read is of no use any more.
      if (this.#isClosed()) return;
    }
    this.#state = "idle";
  }

  /** Reads the plan and puts it in force; the result is what is left to be loaded. Never rejects. */
  async #replan(changed: ReadonlySet<string>, seenMs: number): Promise<PluginSlot[]> {
    try {
      const plan = await this.#parts.plan(changed);
      this.#planFailure = undefined;
      return this.#adopt(plan, { paths: changed, seenMs });
    } catch (error) {
      this.#isPlanGood = false;
      this.#planFailure = toHostError(error);
      this.#parts.events.planFailed(this.#planFailure);
      this.#planRetry();
      return this.#componentsOf(changed);
    }
  }

  /** Resolves when the loads have ended and the requests of removed plugins are no longer taken. */
  async #follow(due: readonly PluginSlot[]): Promise<void> {
    await Promise.all([...due.map((slot) => this.#loads.add(slot)), ...this.#leaving.values()]);
  }

  #endRereads(ended: readonly (() => void)[]): void {
    for (const over of ended) {
      this.#rereads.delete(over);
      over();
    }
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  /** The configuration is as it was: among thousands of plugins, only those whose component changed are looked at. */
  #componentsOf(changed: ReadonlySet<string>): PluginSlot[] {
    return [...this.#slots.values()].filter(({ spec }) => changed.has(spec.componentPath));
  }

  /**
   * Puts in force what a plan takes away, all of it before anything waits. The result is what is left to be loaded: new
   * plugins, and of the others those for which something changed or which are not as they should be.
   */
  #adopt(plan: RegistryPlan, changed: SeenChange): PluginSlot[] {
    const { events, loader } = this.#parts;
    this.#isPlanGood = plan.state === "current";
    if (this.#isPlanGood) this.#lastGoodMs = Date.now();
    this.#watched = new Set(plan.watched);
    const planned = new Set(plan.specs.map(({ name }) => name));
    const removed = [...this.#slots.values()].filter(({ name }) => !planned.has(name));
    for (const slot of removed) this.#remove(slot);
    const due: PluginSlot[] = [];
    let isNarrower = removed.length > 0;
    for (const spec of plan.specs) {
      const known = this.#slots.get(spec.name);
      const slot = known ?? new PluginSlot(spec, loader);
      const taken = slot.confine(spec);
      if (known === undefined) this.#slots.set(spec.name, slot);
      if (taken.length > 0) events.narrowed(slot, taken, performance.now() - changed.seenMs);
      isNarrower ||= taken.length > 0;
      if (changed.paths.has(spec.componentPath) || !slot.follows(spec)) due.push(slot);
    }
    if (isNarrower) events.confined();
    if (plan.state === "stale") this.#planRetry();
    return due;
  }

  #planRetry(): void {
    clearTimeout(this.#retry);
    if (this.#isClosed()) return;
    this.#retry = setTimeout(() => {
      this.#isPlanDue = true;
      this.#note(new Set());
    }, RETRY_MS).unref();
  }

  /** The plugin may do nothing from now on. What it still has in flight holds up nothing but itself. */
  #remove(slot: PluginSlot): void {
    const { name } = slot;
    this.#slots.delete(name);
    this.#loads.remove(slot);
    this.#retries.forget(slot);
    const withdrawn: Promise<void> = slot.withdraw().finally(() => this.#withdrawn.delete(withdrawn));
    this.#withdrawn.add(withdrawn);
    const leaving: Promise<void> = this.#parts.events.removed(slot).finally(() => {
      if (this.#leaving.get(name) === leaving) this.#leaving.delete(name);
    });
    this.#leaving.set(name, leaving);
  }

  async #load(slot: PluginSlot): Promise<void> {
    // The same name may have been removed a moment ago, and its subscriptions are still being given up.
    await this.#leaving.get(slot.name);
    const startMs = performance.now();
    const outcome = await slot.reload();
    if (this.#slots.get(slot.name) !== slot) return;
    const endMs = performance.now();
    const retryMs = this.#retries.note(slot, outcome);
    if (retryMs !== undefined) slot.expectRetry(endMs + retryMs);
    await this.#parts.events.settled(slot);
    if (outcome.kind !== "unchanged") this.#parts.events.loaded(slot.spec, outcome, endMs - startMs, retryMs);
  }
}
