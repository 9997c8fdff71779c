/**
 * The place of one plugin in a replica: the version that serves now, and how a newer one replaces it. A swap is atomic:
 * each request runs on one version only. A new version that cannot serve never replaces one that can, unless the policy
 * took away the old one's grant.
 *
 * A narrowing applies at once to every version that still runs, whatever is being loaded. A wider policy or limit
 * applies to the version that is loaded for it.
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
  /** No version can serve; the error says why. `retryAtMs` is the time of `performance.now()` of the next try. */
  | { readonly kind: "failed"; readonly error: HostError; readonly retryAtMs?: number };

/** The outcome of a reload. */
export type ReloadOutcome =
  | { readonly kind: "unchanged" }
  | { readonly kind: "replaced"; readonly version: PluginVersion }
  /** The new version is refused, and the old one continues to serve. */
  | { readonly kind: "kept"; readonly error: HostError }
  | { readonly kind: "failed"; readonly error: HostError };

export class PluginSlot {
  readonly name: PluginName;
  /** Counters over all versions. */
  readonly stats: PluginStats;
  readonly #loader: PluginLoader;
  /** The plugin as the plan wants it. */
  #spec: PluginSpec;
  #state: SlotState = { kind: "loading" };
  #sinceMs = Date.now();
  #isClosed = false;
  /** Reloads run one after another: each sees the outcome of the one before. */
  #tail: Promise<unknown> = Promise.resolve();
  /** How many requested reloads have not ended. */
  #reloads = 0;
  /** The last reload that has ended: its spec and its outcome. */
  #last: { readonly spec: PluginSpec; readonly outcome: ReloadOutcome } | undefined;
  /** The version that serves, and retired ones with requests in flight. */
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

  /** When it entered its state, or its version began to serve, on the clock of `Date.now()`. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Why the newest version is refused, if an older one serves. */
  get refused(): HostError | undefined {
    const outcome = this.#last?.outcome;
    return outcome?.kind === "kept" ? outcome.error : undefined;
  }

  /** Is a load in progress or queued? */
  get isReloading(): boolean {
    return this.#reloads > 0;
  }

  /** Records when a failed load will be tried again; see {@link SlotState}. */
  expectRetry(retryAtMs: number): void {
    if (this.#state.kind === "failed") this.#state = { ...this.#state, retryAtMs };
  }

  /** The plugin as the plan wants it; the version that serves may still be another one. */
  get spec(): PluginSpec {
    return this.#spec;
  }

  /**
   * Makes `spec` the plan from now on. When this returns, its narrowings are in force, even for operations of calls in
   * flight; everything else waits for {@link reload}. Returns what it took away, in words.
   */
  confine(spec: PluginSpec): readonly string[] {
    const taken = describeNarrowing(this.#spec, spec);
    this.#spec = spec;
    for (const version of this.#versions) version.authority.confine(spec.policy, spec.limits);
    return taken;
  }

  /**
   * Loads or reloads the spec that is current when it begins. Never rejects: the outcome says what happened, and the
   * state what serves.
   */
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

  /** Does `spec` need no reload, as long as the component's file is the same? */
  follows(spec: PluginSpec): boolean {
    const last = this.#last;
    return (
      last !== undefined &&
      this.#reloads === 0 &&
      // The last reload refused nothing.
      (last.outcome.kind === "replaced" || last.outcome.kind === "unchanged") &&
      last.spec.componentPath === spec.componentPath &&
      last.spec.policy.revision === spec.policy.revision &&
      isSameLimits(last.spec.limits, spec.limits)
    );
  }

  /**
   * Removes the plugin: from now on every operation of it is denied, and it takes no requests. Resolves when its
   * requests have been answered and its versions have ended.
   */
  async withdraw(): Promise<void> {
    this.#isClosed = true;
    this.confine({ ...this.#spec, policy: denyAll(this.name) });
    const before = this.#state;
    this.#enter({ kind: "failed", error: new HostError("plugin-unavailable", "the plugin was removed") });
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

  /**
   * Callers of a warm plugin must not wait for a cold start after a swap: the new version's process is started before
   * it.
   */
  #warmed(spec: PluginSpec): PluginSpec {
    const isWarm = this.#state.kind === "loaded" && (this.#state.version.parts.runner?.isWarm ?? false);
    return isWarm ? { ...spec, start: "with-load" } : spec;
  }

  /** Would a load produce the version that serves already? */
  async #isCurrent(spec: PluginSpec): Promise<boolean> {
    if (this.#state.kind !== "loaded") return false;
    const { parts } = this.#state.version;
    return this.#isUnder(parts, spec) && parts.digest === (await this.#loader.digest(spec));
  }

  async #consider(version: PluginVersion, spec: PluginSpec): Promise<ReloadOutcome> {
    // A component that requests more than the policy allows must not replace one that the policy lets serve.
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
    this.#enter({ kind: "failed", error });
    return { kind: "failed", error };
  }

  /**
   * Lets the present component continue to serve, under the policy and limits of `spec`: a grant that the operator took
   * away ends even if the new file cannot be loaded. False if the component may not or cannot continue.
   */
  async #keepServing(spec: PluginSpec): Promise<boolean> {
    if (this.#state.kind !== "loaded" || this.#state.version.parts.verdict.kind !== "granted") return false;
    const { parts } = this.#state.version;
    if (decide(parts.requested, spec.policy, parts.signers, parts.digest).kind !== "granted") return false;
    if (this.#isUnder(parts, spec)) return true;
    try {
      return this.#replace(await this.#loader.reopen(parts, this.#warmed(spec)));
    } catch {
      // The caller reports the error of the new version, which is the one to act on.
      return false;
    }
  }

  /** Were these parts loaded under the same policy and limits? */
  #isUnder({ verdict, limits }: PluginVersionParts, spec: PluginSpec): boolean {
    const revision = verdict.kind === "granted" ? verdict.grant.policyRevision : verdict.policyRevision;
    return revision === spec.policy.revision && isSameLimits(limits, spec.limits);
  }

  /** Lets a version serve, within the current spec. Closes it and returns false if the slot is closed. */
  #replace(version: PluginVersion): boolean {
    if (this.#isClosed) {
      void version.close();
      return false;
    }
    version.authority.confine(this.#spec.policy, this.#spec.limits);
    this.#versions.add(version);
    void version.closed.then(() => this.#versions.delete(version));
    const before = this.#state;
    this.#enter({ kind: "loaded", version });
    if (before.kind === "loaded") this.#retire(before.version);
    return true;
  }

  #enter(state: SlotState): void {
    // A slot that fails again keeps the time of its first failure.
    if (state.kind !== "failed" || this.#state.kind !== "failed") this.#sinceMs = Date.now();
    this.#state = state;
  }

  #retire(version: PluginVersion): void {
    const retiring = version.retire().finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }
}

const UNCHANGED: ReloadOutcome = { kind: "unchanged" };
