/**
 * Signatures as `cosign` stored them before bundles: a "simple signing" document, and its signature in an annotation. They are
 * read and never written. Pure.
 *
 * @see https://github.com/sigstore/cosign/blob/v3.1.3/specs/SIGNATURE_SPEC.md
 * @module
 */

import { z } from "zod";
import type { Digest } from "../contract/names.ts";
import { quotedShort, readJsonDocument } from "./json-document.ts";
import type { Signature, SignatureVerdict } from "./signature.ts";
import { isSignedBy, type VerificationKey } from "./verification-key.ts";

export const SIMPLE_SIGNING_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
/** Holds the signature, in base64. */
export const SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature";

const DOCUMENT_TYPE = "cosign container image signature";

const documentSchema = z.object({
  critical: z.object({ type: z.string(), image: z.object({ "docker-manifest-digest": z.string() }) }),
});

/** Is the document signed by one of the keys, and about the manifest? The bytes are checked as they were found. Never throws. */
export function checkSimpleSigning(
  { payload, signature }: Extract<Signature, { kind: "simple-signing" }>,
  manifest: Digest,
  keys: readonly VerificationKey[],
): SignatureVerdict {
  const key = keys.find((one) => isSignedBy(one, payload, signature));
  if (key === undefined) return rejected("it is by none of the keys, or was changed");
  const { success, data } = documentSchema.safeParse(readJsonDocument(payload));
  if (!success) return rejected("what it signs is not a simple signing document");
  const { type, image } = data.critical;
  if (type !== DOCUMENT_TYPE) return rejected(`it is of another type, ${quotedShort(type)}, and no signature`);
  if (image["docker-manifest-digest"] !== `sha256:${manifest}`) return rejected("what it signs names another digest");
  return { kind: "signed", by: key.id };
}

function rejected(reason: string): SignatureVerdict {
  return { kind: "rejected", reason };
}
