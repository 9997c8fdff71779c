/**
 * Decides on a plugin: compares what it requests with what its policy allows. Made once for each digest and
 * policy revision, before any resource is opened; the broker then checks its grant on every operation. Pure.
 *
 * @module
 */

import { ACCESS_LEVELS, type AccessLevelBits } from "../contract/access-levels.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { Denial, Policy, Verdict } from "./policy.ts";

const MAX_BITS = 0xffff_ffff;

/**
 * Granted if every requested level is allowed, one of the policy's keys has signed where it names some, and the component is one
 * of those that it names where it does; else denied as a whole. A bit that is not a level of the contract is never allowed, so a plugin that requests one is denied.
 *
 * @param requested what `get-access-levels` answered: an unsigned integer of at most 32 bits.
 * @param signers the keys that have signed the component, as far as that was verified.
 * @param digest the component's own.
 */
export function decide(
  requested: AccessLevelBits,
  policy: Policy,
  signers: readonly Digest[] = [],
  digest?: Digest,
): Verdict {
  // Bitwise operators would silently drop bits beyond 32.
  if (!Number.isInteger(requested) || requested < 0 || requested > MAX_BITS) {
    throw new HostError("internal", `access levels must be an unsigned 32-bit integer, not ${requested}`);
  }
  const missing = (requested & ~policy.allow) >>> 0;
  const signature = isSignedFor(policy, signers) ? "sufficient" : "missing";
  const isOther = !allowsDigest(policy, digest);
  if (missing !== 0 || signature === "missing" || isOther) {
    const denial = { kind: "denied", requested, missing, signature, policyRevision: policy.revision } as const;
    return isOther ? { ...denial, digest: "not-allowed" } : denial;
  }
  return {
    kind: "granted",
    grant: {
      plugin: policy.plugin,
      levels: requested & policy.allow,
      buckets: policy.buckets,
      hosts: policy.hosts,
      policyRevision: policy.revision,
    },
  };
}

/** Is a component that these keys have signed good enough for the policy? */
export function isSignedFor({ signedBy }: Policy, signers: readonly Digest[]): boolean {
  return signedBy === undefined || signedBy.some(({ id }) => signers.includes(id));
}

/** Is a component of this digest one that the policy allows? */
export function allowsDigest({ digests }: Policy, digest: Digest | undefined): boolean {
  return digests === undefined || (digest !== undefined && digests.includes(digest));
}

/** The levels by name in the contract's order; a bit without a name is called `unknown level (bit 5)`. */
export function describeLevels(bits: AccessLevelBits): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if (((bits >>> bit) & 1) === 1) names.push(ACCESS_LEVELS[bit] ?? `unknown level (bit ${bit})`);
  }
  return names;
}

/** What is missing, in sentences that are safe for a stranger: they become the text of `denied` replies. */
export function describeDenial({ missing, signature, digest }: Denial): string {
  const levels = `The plugin requests ${describeLevels(missing).join(", ")}, which the policy does not allow.`;
  const reasons = [
    ...(missing === 0 ? [] : [levels]),
    ...(signature === "sufficient" ? [] : ["None of the keys that the policy names has signed the component."]),
    ...(digest === undefined ? [] : ["The policy names the components that it allows, and this is another one."]),
  ];
  return reasons.join(" ");
}
