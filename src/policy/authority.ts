/**
 * What one version of a plugin may do at this moment. Its grant was decided under the policy of its load; since then, until
 * a newer version serves and its own last requests end, the operator may have taken something away.
 *
 * Invariants: an operation needs the permission of the version's grant *and* of the policy in force; each limit is the
 * lower of both. A change is in force when {@link Authority.confine} returns, whatever else is being loaded.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { Digest } from "../contract/names.ts";
import type { PluginLimits } from "../contract/limits.ts";
import { decide } from "./decide.ts";
import { isSameLimits, lowerLimits } from "./limits.ts";
import type { Denial, Grant, Policy, Verdict } from "./policy.ts";

/** The authority at one moment. Immutable: a change makes a new one. */
export type Terms =
  | {
      readonly kind: "granted";
      /** An operation needs each of them: the version's own, and that of the policy in force where it is another one. */
      readonly grants: readonly [Grant, ...Grant[]];
      readonly limits: PluginLimits;
    }
  /** No operation is allowed, and no request is taken. */
  | { readonly kind: "denied"; readonly denial: Denial; readonly limits: PluginLimits };

/** What a version was loaded with. */
export interface AuthorityOptions {
  readonly requested: AccessLevelBits;
  /** The component's own. */
  readonly digest?: Digest;
  /** The keys that have signed the component, as far as that was verified. */
  readonly signers: readonly Digest[];
  readonly verdict: Verdict;
  readonly limits: PluginLimits;
}

export class Authority {
  readonly #own: AuthorityOptions;
  readonly #listeners = new Set<() => void>();
  #now: Terms;
  /** Revision of the policy in force, and the limits that came with it. */
  #revision: string;
  #limits: PluginLimits;

  constructor(own: AuthorityOptions) {
    const { verdict, limits } = own;
    this.#own = own;
    this.#now =
      verdict.kind === "granted"
        ? { kind: "granted", grants: [verdict.grant], limits }
        : { kind: "denied", denial: verdict, limits };
    this.#revision = verdict.kind === "granted" ? verdict.grant.policyRevision : verdict.policyRevision;
    this.#limits = limits;
  }

  /** The same object for as long as nothing changes. */
  get now(): Terms {
    return this.#now;
  }

  /** Revision of the policy in force. */
  get policyRevision(): string {
    return this.#revision;
  }

  /** Puts a policy in force. What an earlier policy took away returns as far as the version had it. */
  confine(policy: Policy, limits: PluginLimits): void {
    if (policy.revision === this.#revision && isSameLimits(limits, this.#limits)) return;
    this.#revision = policy.revision;
    this.#limits = limits;
    this.#now = termsUnder(this.#own, policy, limits);
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener after each change, so that it can end what is in flight and no longer allowed; it must not throw. Returns a function that ends the calls. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function termsUnder(
  { requested, signers, digest, verdict, limits: own }: AuthorityOptions,
  policy: Policy,
  limits: PluginLimits,
): Terms {
  const lower = lowerLimits(own, limits);
  if (verdict.kind === "denied") return { kind: "denied", denial: verdict, limits: lower };
  if (policy.revision === verdict.grant.policyRevision)
    return { kind: "granted", grants: [verdict.grant], limits: lower };
  const renewed = decide(requested, policy, signers, digest);
  if (renewed.kind === "denied") return { kind: "denied", denial: renewed, limits: lower };
  return { kind: "granted", grants: [verdict.grant, renewed.grant], limits: lower };
}
