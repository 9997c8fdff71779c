/**
 * What proves later, and without a registry, that a component is signed: the manifest as it was, which names the component, and
 * signatures that name the manifest. It is checked from the start each time, so nothing depends on who can write to the folder
 * where it lies. Pure.
 *
 * @module
 */

import { z } from "zod";
import { digestOf } from "../contract/digest.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { componentLayer, parseManifest } from "../oci/manifest.ts";
import { checkSignature } from "../signatures/check-signature.ts";
import type { Signature } from "../signatures/signature.ts";
import type { VerificationKey } from "../signatures/verification-key.ts";

export interface SignatureProof {
  readonly manifest: Uint8Array;
  readonly signatures: readonly Signature[];
}

/** What is to be proven. */
export interface ProvenComponent {
  readonly manifest: Digest;
  readonly component: Digest;
}

/** A signature of the proof and its key. */
export interface ProvenSignature {
  readonly signature: Signature;
  readonly by: Digest;
}

const bytesSchema = z.base64().transform((text) => Buffer.from(text, "base64"));
const signatureSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("bundle"), bytes: bytesSchema }),
  z.object({ kind: z.literal("simple-signing"), payload: bytesSchema, signature: bytesSchema }),
]);
const proofSchema = z.object({ manifest: bytesSchema, signatures: z.array(signatureSchema) });

/** Which of the keys the proof is good for. Never throws. */
export function checkProof(
  { manifest: bytes, signatures }: SignatureProof,
  { manifest, component }: ProvenComponent,
  keys: readonly VerificationKey[],
): readonly ProvenSignature[] {
  if (digestOf(bytes) !== manifest || !namesComponent(bytes, component)) return [];
  return signatures.flatMap((signature) => {
    const verdict = checkSignature(signature, manifest, keys);
    return verdict.kind === "signed" ? [{ signature, by: verdict.by }] : [];
  });
}

/** Is the component the one layer of the manifest? */
function namesComponent(manifest: Uint8Array, component: Digest): boolean {
  try {
    return componentLayer(parseManifest(manifest)).digest === component;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** As JSON, for {@link parseProof}. */
export function formatProof({ manifest, signatures }: SignatureProof): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return JSON.stringify({
    manifest: base64(manifest),
    signatures: signatures.map((one) =>
      one.kind === "bundle"
        ? { kind: one.kind, bytes: base64(one.bytes) }
        : { kind: one.kind, payload: base64(one.payload), signature: base64(one.signature) },
    ),
  });
}

/** `undefined` where it is malformed: then the registry is asked. */
export function parseProof(text: string): SignatureProof | undefined {
  try {
    return proofSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
