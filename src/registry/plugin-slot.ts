/**
 * The place of one plugin in a replica: the version that serves now, and how a newer one takes over. A swap
 * is atomic: each request sees one version, whole. A new version that cannot serve never replaces one that
 * can, unless the policy took the old one's grant away.
 *
 * What the operator takes away is taken at once from every version that is left, whatever is being loaded; what is
 * given comes with the version that is loaded for it.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { denyAll } from "../policy/create-policy.ts";
import { decide, describeDenial } from "../policy/decide.ts";
import { isSameLimits } from "../policy/limits.ts";
import { describeNarrowing } from "../policy/narrowing.ts";
import { PluginStats } from "../telemetry/plugin-stats.ts";
import type { PluginLoader, PluginSpec } from "./plugin-loader.ts";
import type { PluginVersion, PluginVersionParts } from "./plugin-version.ts";

/** What a slot offers to a request. */
export type SlotState =
  | { readonly kind: "loading" }
  | { readonly kind: "loaded"; readonly version: PluginVersion }
  /** Nothing can serve; the error says why. `retryAtMs` is when it is tried again, as `performance.now()` counts. */
  | { readonly kind: "failed"; readonly error: HostError; readonly retryAtMs?: number };

/** What a reload did. */
export type ReloadOutcome =
  | { readonly kind: "unchanged" }
  | { readonly kind: "replaced"; readonly version: PluginVersion }
  /** The new version is refused and the old one goes on serving. */
  | { readonly kind: "kept"; readonly error: HostError }
  | { readonly kind: "failed"; readonly error: HostError };

export class PluginSlot {
  readonly name: PluginName;
  /** Counters over all versions. */
  readonly stats: PluginStats;
  readonly #loader: PluginLoader;
  /** What is wanted. */
  #spec: PluginSpec;
  #state: SlotState = { kind: "loading" };
  #isClosed = false;
  /** Reloads run one after another: each sees the outcome of the one before. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Reloads that were asked for and have not ended. */
  #reloads = 0;
  /** The last reload that has ended: what it was for, and what it did. */
  #last: { readonly spec: PluginSpec; readonly outcome: ReloadOutcome } | undefined;
  /** The version that serves and those that let their last requests finish. */
  readonly #versions = new Set<PluginVersion>();
  readonly #retiring = new Set<Promise<void>>();

  constructor(spec: PluginSpec, loader: PluginLoader) {
    this.name = spec.name;
    this.stats = new PluginStats(spec.name);
    this.#spec = spec;
    this.#loader = loader;
  }

  get state(): SlotState {
    return this.#state;
  }

  /** Why the newest version is refused, where an older one serves. */
  get refused(): HostError | undefined {
    const outcome = this.#last?.outcome;
    return outcome?.kind === "kept" ? outcome.error : undefined;
  }

  /** What could not be loaded is tried again then; see {@link SlotState}. */
  expectRetry(retryAtMs: number): void {
    if (this.#state.kind === "failed") this.#state = { ...this.#state, retryAtMs };
  }

  /** What is wanted: the version that serves may still be another one. */
  get spec(): PluginSpec {
    return this.#spec;
  }

  /**
   * `spec` is what is wanted from now on. What it takes away is in force when this returns, for operations of calls under
   * way too; all else waits for {@link reload}. Tells what was taken, in words.
   */
  confine(spec: PluginSpec): readonly string[] {
    const taken = describeNarrowing(this.#spec, spec);
    this.#spec = spec;
    for (const version of this.#versions) version.authority.confine(spec.policy, spec.limits);
    return taken;
  }

  /** Loads or reloads what is wanted when it begins. Never rejects: the outcome says what happened, the state what serves. */
  reload(): Promise<ReloadOutcome> {
    this.#reloads += 1;
    const outcome = this.#tail.then(async () => {
      const spec = this.#spec;
      const ended = await this.#reload(spec);
      this.#last = { spec, outcome: ended };
      this.#reloads -= 1;
      return ended;
    });
    this.#tail = outcome;
    return outcome;
  }

  /** Is there nothing to be done for `spec` as long as the component's file is the same? */
  follows(spec: PluginSpec): boolean {
    const last = this.#last;
    return (
      last !== undefined &&
      this.#reloads === 0 &&
      // Nothing of it was refused.
      (last.outcome.kind === "replaced" || last.outcome.kind === "unchanged") &&
      last.spec.componentPath === spec.componentPath &&
      last.spec.policy.revision === spec.policy.revision &&
      isSameLimits(last.spec.limits, spec.limits)
    );
  }

  /**
   * The plugin is no longer wanted: it may do nothing more and takes no request, from when this was called. Resolves
   * when the requests that it had are answered and its versions are ended.
   */
  async withdraw(): Promise<void> {
    this.#isClosed = true;
    this.confine({ ...this.#spec, policy: denyAll(this.name) });
    const before = this.#state;
    this.#state = { kind: "failed", error: new HostError("plugin-unavailable", "the plugin was removed") };
    if (before.kind === "loaded") this.#retire(before.version);
    await this.#tail;
    await Promise.all(this.#retiring);
  }

  /** Ends every version now. Requests still on one are settled as lost, so drain first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tail;
    if (this.#state.kind === "loaded") await this.#state.version.close();
    await Promise.all(this.#retiring);
  }

  async #reload(spec: PluginSpec): Promise<ReloadOutcome> {
    if (this.#isClosed) return UNCHANGED;
    try {
      if (await this.#isCurrent(spec)) return UNCHANGED;
      const version = await this.#loader.load(this.#warmed(spec));
      return await this.#consider(version, spec);
    } catch (error) {
      return await this.#reject(toHostError(error, "load-failed"), spec);
    }
  }

  /** Requests that found a warm version must not wait for the start of the next one: it is started before the swap. */
  #warmed(spec: PluginSpec): PluginSpec {
    const isWarm = this.#state.kind === "loaded" && (this.#state.version.parts.runner?.isWarm ?? false);
    return isWarm ? { ...spec, start: "with-load" } : spec;
  }

  /** Would a load bring what serves already? */
  async #isCurrent(spec: PluginSpec): Promise<boolean> {
    if (this.#state.kind !== "loaded") return false;
    const { parts } = this.#state.version;
    return this.#isUnder(parts, spec) && parts.digest === (await this.#loader.digest(spec));
  }

  async #consider(version: PluginVersion, spec: PluginSpec): Promise<ReloadOutcome> {
    // A wider request than the policy allows must not take down the version that serves within it.
    const { verdict } = version.parts;
    if (verdict.kind === "denied" && (await this.#keepServing(spec))) {
      await version.close();
      return { kind: "kept", error: new HostError("denied", describeDenial(verdict)) };
    }
    return this.#replace(version) ? { kind: "replaced", version } : UNCHANGED;
  }

  async #reject(error: HostError, spec: PluginSpec): Promise<ReloadOutcome> {
    if (await this.#keepServing(spec)) return { kind: "kept", error };
    if (this.#isClosed) return UNCHANGED;
    if (this.#state.kind === "loaded") this.#retire(this.#state.version);
    this.#state = { kind: "failed", error };
    return { kind: "failed", error };
  }

  /**
   * Makes the component that serves now serve on, under the policy and limits of `spec`: a grant that the
   * operator took away ends even when the new file cannot be loaded. False where it may not or cannot go on.
   */
  async #keepServing(spec: PluginSpec): Promise<boolean> {
    if (this.#state.kind !== "loaded" || this.#state.version.parts.verdict.kind !== "granted") return false;
    const { parts } = this.#state.version;
    if (decide(parts.requested, spec.policy).kind !== "granted") return false;
    if (this.#isUnder(parts, spec)) return true;
    try {
      return this.#replace(await this.#loader.reopen(parts.digest, this.#warmed(spec)));
    } catch {
      // The caller reports the error that made the old version worth keeping; this one only says that it is gone too.
      return false;
    }
  }

  /** Were these parts loaded under the same policy and limits? */
  #isUnder({ verdict, limits }: PluginVersionParts, spec: PluginSpec): boolean {
    const revision = verdict.kind === "granted" ? verdict.grant.policyRevision : verdict.policyRevision;
    return revision === spec.policy.revision && isSameLimits(limits, spec.limits);
  }

  /** Lets a version serve, within what is wanted by now. False where nothing may serve any more: it is ended. */
  #replace(version: PluginVersion): boolean {
    if (this.#isClosed) {
      void version.close();
      return false;
    }
    version.authority.confine(this.#spec.policy, this.#spec.limits);
    this.#versions.add(version);
    void version.closed.then(() => this.#versions.delete(version));
    const before = this.#state;
    this.#state = { kind: "loaded", version };
    if (before.kind === "loaded") this.#retire(before.version);
    return true;
  }

  #retire(version: PluginVersion): void {
    const retiring = version.retire().finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }
}

const UNCHANGED: ReloadOutcome = { kind: "unchanged" };
