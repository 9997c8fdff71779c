/**
 * What an operator allows one plugin. Everything not named here is denied; an absent policy is
 * {@link denyAll}. Pure data: files are read in `config/`, the decision is made in `decide.ts`.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { LimitableMethod } from "../contract/http.ts";
import type { PluginLimits } from "../contract/limits.ts";
import type { BucketName, Digest, PluginName } from "../contract/names.ts";
import type { VerificationKey } from "../signatures/verification-key.ts";

/** Which buckets a plugin may open. */
export interface BucketPolicy {
  /** Private buckets it may open: `"any"` name, or these only. Other plugins never see them. */
  readonly private: "any" | readonly BucketName[];
  /** Buckets shared between plugins: the name the plugin uses → the shared bucket's own name. */
  readonly shared: ReadonlyMap<BucketName, BucketName>;
}

/**
 * One allowed target of outbound HTTP, as written by the operator: `scheme://host[:port]` for every method, or the
 * same with the only methods that are allowed.
 */
export type AllowedHost = string | { readonly target: string; readonly methods: readonly LimitableMethod[] };

/** The policy of one plugin. */
export interface Policy {
  readonly plugin: PluginName;
  /** Levels the plugin may be granted, as the contract's flag bits. */
  readonly allow: AccessLevelBits;
  readonly buckets: BucketPolicy;
  readonly hosts: readonly AllowedHost[];
  /** The components that are allowed, by their own digests; left out: any. */
  readonly digests?: readonly Digest[];
  /**
   * One of these keys must have signed the component, or nothing of it is loaded; an empty list: none ever is. Left out: no
   * signature is asked for.
   */
  readonly signedBy?: readonly VerificationKey[];
  /** Limits that differ from the consumer group's. */
  readonly limits: Partial<PluginLimits>;
  /** Changes whenever the meaning of the policy does: SHA-256 (first 12 hexadecimal digits) of its canonical form. */
  readonly revision: string;
}

/** What a plugin holds: requested ∩ allowed, with its parameters. Fixed per digest and policy revision. */
export interface Grant {
  readonly plugin: PluginName;
  readonly levels: AccessLevelBits;
  readonly buckets: BucketPolicy;
  readonly hosts: readonly AllowedHost[];
  readonly policyRevision: string;
}

/** A plugin is denied as a whole: for requested levels that the policy does not allow, for its signature, or for its digest. */
export interface Denial {
  readonly kind: "denied";
  readonly requested: AccessLevelBits;
  /** Requested and not allowed; empty only if the signature is missing or the digest is not allowed. */
  readonly missing: AccessLevelBits;
  /** `missing`: none of the keys that the policy names has signed the component. */
  readonly signature: "sufficient" | "missing";
  /** Where the policy names the digests that it allows, and the component's is none of them. */
  readonly digest?: "not-allowed";
  readonly policyRevision: string;
}

/** The outcome of {@link decide}. */
export type Verdict = { readonly kind: "granted"; readonly grant: Grant } | Denial;
