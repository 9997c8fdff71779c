/**
 * Which keys have signed the components that are to be loaded. The registry is asked until every key of a policy has signed; what
 * it had is kept beside the component, so that a replica starts without the registry, and each load checks it again.
 *
 * Fails closed: an error, an answer that cannot be understood and a silence never count as a signature.
 *
 * @module
 */

import { digestOf, shortDigest } from "../contract/digest.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { OciClient } from "../oci/client.ts";
import { ociDigest, type OciReference } from "../oci/reference.ts";
import { findSignatures } from "../oci/signature-search.ts";
import type { VerificationKey } from "../signatures/verification-key.ts";
import { type ComponentStore, referenceText } from "./component-store.ts";
import { checkProof, type ProvenComponent, type ProvenSignature } from "./signature-proof.ts";

export interface SignatureChecksOptions {
  readonly client: OciClient;
  readonly store: ComponentStore;
  /** Ends the exchanges with the registry. */
  readonly signal: AbortSignal;
}

/** What a reference stands for. */
export interface ReferencedComponent extends ProvenComponent {
  readonly reference: OciReference;
}

/** Which of the keys have signed; at least one. Throws `signature-missing`, and the codes of `OciClient`. */
export async function expectSigned(
  options: SignatureChecksOptions,
  referenced: ReferencedComponent,
  keys: readonly VerificationKey[],
): Promise<readonly Digest[]> {
  const kept = await checkKept(options.store, referenced, keys);
  const had = new Set(kept.signatures.map(({ by }) => by));
  const further = keys.filter(({ id }) => !had.has(id));
  if (further.length === 0) return [...had];
  if (had.size === 0) return await askRegistry(options, referenced, further, []);
  // What is kept with another manifest proves nothing beside this one.
  const beside = kept.manifest === referenced.manifest ? kept.signatures : [];
  // Keys are being changed: what is kept suffices, and the registry is asked for the other keys' signatures if it answers soon.
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(FIXED_LIMITS.registryStartMs)]);
  try {
    return [...had, ...(await askRegistry({ ...options, signal }, referenced, further, beside))];
  } catch (error) {
    if (error instanceof HostError) return [...had];
    throw error;
  }
}

interface KeptSignatures {
  /** The one that they name. */
  readonly manifest: Digest | undefined;
  readonly signatures: readonly ProvenSignature[];
}

/**
 * What the kept proof is good for. Its manifest may be another one than that of now, since the same bytes can be pushed again:
 * a key has signed it all the same, and it names this component and nothing else.
 */
async function checkKept(
  store: ComponentStore,
  { reference, component }: ReferencedComponent,
  keys: readonly VerificationKey[],
): Promise<KeptSignatures> {
  const proof = await store.readProof(reference);
  if (proof === undefined) return { manifest: undefined, signatures: [] };
  const manifest = digestOf(proof.manifest);
  return { manifest, signatures: checkProof(proof, { manifest, component }, keys) };
}

/** Asks for signatures by keys, keeps what fits with what is kept of that manifest, and returns whose it found. */
async function askRegistry(
  { client, store, signal }: SignatureChecksOptions,
  { reference, manifest, component }: ReferencedComponent,
  keys: readonly VerificationKey[],
  kept: readonly ProvenSignature[],
): Promise<readonly Digest[]> {
  const fetched = await client.fetchManifest({ ...reference, tag: undefined, digest: manifest }, signal);
  const { fitting, flaws } = await findSignatures(client, { at: reference, manifest }, keys, signal);
  const proof = { manifest: fetched.bytes, signatures: [...kept, ...fitting].map(({ signature }) => signature) };
  const proven = checkProof(proof, { manifest, component }, keys);
  if (proven.length === 0) throw unsigned(referenceText(reference), manifest, keys, flaws);
  await store.writeProof(reference, proof);
  return proven.map(({ by }) => by);
}

function unsigned(
  reference: string,
  manifest: Digest,
  keys: readonly VerificationKey[],
  flaws: readonly string[],
): HostError {
  const wanted = keys.map(({ id }) => shortDigest(id)).join(", ");
  const looked = flaws.length === 0 ? "there is no signature" : flaws.join("; ");
  return new HostError(
    "signature-missing",
    `${reference}: no key of the policy (${wanted}) has signed the manifest ${ociDigest(manifest)}: ${looked}. Sign it with ` +
      "network-host sign or cosign sign --key",
  );
}
