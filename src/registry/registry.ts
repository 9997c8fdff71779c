/**
 * The plugins of a replica: one slot each, loaded at the start and reloaded when a component or a policy file changes.
 * A plugin that cannot be loaded is reported and does not stop the others.
 *
 * The narrowings of a plan are in force before any plugin is loaded for it, and the next plan may be read during those
 * loads. If a plan cannot be read as it is now, the registry tries again.
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
  /** `stale`: a part of it could not be read now, so its last valid content is used. */
  readonly state: "current" | "stale";
}

export interface RegistryEvents {
  /**
   * A plugin was loaded or reloaded with this outcome; `unchanged` is not reported. `retryMs`: when the next try is, if
   * there is one.
   */
  loaded(spec: PluginSpec, outcome: ReloadOutcome, durationMs: number, retryMs: number | undefined): void;
  /**
   * A load of the plugin has ended, successfully or not, and the slot's state may have changed. Resolves when the
   * change is in force for its requests; `loaded` follows.
   */
  settled(slot: PluginSlot): Promise<void>;
  /**
   * A plugin is no longer in the plan, and all its operations are denied. Resolves when its requests are no longer
   * taken.
   */
  removed(slot: PluginSlot): Promise<void>;
  /**
   * A plan's narrowing of a plugin is in force; `taken` says what it took away, in words. `sinceMs` is the time since
   * the change was seen.
   */
  narrowed(slot: PluginSlot, taken: readonly string[], sinceMs: number): void;
  /** All narrowings of a plan are in force: calls in flight must be reviewed. */
  confined(): void;
  /** The configuration could not be read: everything stays as it was. */
  planFailed(error: unknown): void;
}

export interface RegistryOptions {
  readonly loader: PluginLoader;
  /**
   * Reads the configuration: at the start, after each change and, if it could not be read, repeatedly. Must read the
   * `changed` files again, whatever their times say.
   */
  readonly plan: (changed: ReadonlySet<string>) => Promise<RegistryPlan>;
  readonly events: RegistryEvents;
  /** The last content that was read of each file. */
  readonly contents: ReadContents;
}

/** How often to retry a plan that could not be read as it is now. */
const RETRY_MS = 5_000;

/** Files that changed, and when the watcher saw that. */
interface SeenChange {
  readonly paths: ReadonlySet<string>;
  readonly seenMs: number;
}

const NOTHING_SEEN: SeenChange = { paths: new Set(), seenMs: 0 };

export class Registry implements AsyncDisposable {
  readonly #parts: RegistryOptions;
  readonly #slots = new Map<PluginName, PluginSlot>();
  /** Removed plugins whose subscriptions are still being ended. */
  readonly #leaving = new Map<PluginName, Promise<void>>();
  /** Removed slots that still have requests to answer, or a load to end. */
  readonly #withdrawn = new Set<Promise<void>>();
  readonly #loads = new LoadQueue((slot) => this.#load(slot));
  readonly #retries = new LoadRetries((slot) => void this.#loads.add(slot));
  readonly #watcher: FileWatcher;
  #watched: ReadonlySet<string> = new Set();
  /** Changed files that have not been handled yet. */
  #changed = new Set<string>();
  /** When the first of those changes was seen. */
  #seenMs = 0;
  /** Must the plan be read, whatever changed? */
  #isPlanDue = false;
  #isPlanGood = false;
  #planFailure: HostError | undefined;
  #lastGoodMs: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #state: "opening" | "idle" | "following" | "closed" = "opening";
  #isPlanned = false;
  /** Resolve the calls of {@link reread} whose reading has not begun. */
  #due: (() => void)[] = [];
  /** Resolve all pending calls of {@link reread}. */
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
   * Was the last plan read without a fault, and when was one last, on the clock of `Date.now()`? `failure` is why the
   * last try could not read it at all.
   */
  get lastReload(): {
    readonly isGood: boolean;
    readonly lastGoodMs: number | undefined;
    readonly failure: HostError | undefined;
  } {
    return { isGood: this.#isPlanGood, lastGoodMs: this.#lastGoodMs, failure: this.#planFailure };
  }

  /** Has a plan been read? Before that, {@link slots} is empty, which says nothing. */
  get isPlanned(): boolean {
    return this.#isPlanned;
  }

  /** The plugins that are served now. */
  get slots(): ReadonlyMap<PluginName, PluginSlot> {
    return this.#slots;
  }

  /**
   * Reads the plan and loads every plugin; resolves when each load has ended, successfully or not. Throws only if the
   * configuration itself is invalid (`config-invalid`).
   */
  async open(): Promise<void> {
    const { plan } = this.#parts;
    this.#adopt(await plan(new Set()), NOTHING_SEEN);
    this.#isPlanned = true;
    await this.#watcher.open();
    // Reads the plan again: the watcher would miss a change between the first reading and its first look.
    const due = this.#adopt(await plan(new Set()), NOTHING_SEEN);
    this.#leaveOpening();
    await Promise.all(due.map((slot) => this.#loads.add(slot)));
  }

  /**
   * Reads the configuration and every component again, as if all of them had changed. Resolves when their content is in
   * force or has been refused, or when the registry is closed.
   */
  reread(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#isClosed()) return Promise.resolve();
    this.#due.push(resolve);
    this.#rereads.add(resolve);
    this.#isPlanDue = true;
    this.#parts.loader.recheck();
    this.#note(new Set([...this.#watched, ...[...this.#slots.values()].map(({ spec }) => spec.componentPath)]));
    return promise;
  }

  /** Ends loads in progress: no new version will serve. Versions that serve continue. */
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

  /** The first readings are over: handles the changes that came meanwhile. */
  #leaveOpening(): void {
    if (this.#state !== "opening") return;
    this.#state = "idle";
    if (this.#changed.size > 0 || this.#isPlanDue) void this.#followUntilStill();
  }

  /** Handles changed files. Changes that come meanwhile are handled right afterwards. */
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
      // The registry was closed meanwhile.
      if (this.#isClosed()) return;
    }
    this.#state = "idle";
  }

  /** Reads the plan and puts it in force. Returns the slots to load. Never rejects. */
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

  /** The configuration is unchanged: of thousands of plugins, only those whose component changed are examined. */
  #componentsOf(changed: ReadonlySet<string>): PluginSlot[] {
    return [...this.#slots.values()].filter(({ spec }) => changed.has(spec.componentPath));
  }

  /**
   * Puts all narrowings of a plan in force, without waiting for anything. Returns the slots to load: new plugins, and
   * those that changed or whose last load did not end as planned.
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

  /** Removes a plugin: from now on all its operations are denied. Its requests in flight delay no other plugin. */
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
    // A plugin of the same name may have been removed a moment ago, and its subscriptions may still be ending.
    await this.#leaving.get(slot.name);
    const startMs = performance.now();
    const outcome = await slot.reload();
    if (this.#slots.get(slot.name) !== slot) return;
    const endMs = performance.now();
    const retryMs = this.#retries.note(slot, outcome);
    if (retryMs !== undefined) slot.expectRetry(endMs + retryMs);
    await this.#parts.events.settled(slot);
    // A load that was given up failed for no reason that anybody could act on.
    if (outcome.kind === "unchanged" || (this.#isClosed() && outcome.kind !== "replaced")) return;
    this.#parts.events.loaded(slot.spec, outcome, endMs - startMs, retryMs);
  }
}
