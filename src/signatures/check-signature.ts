/**
 * Is a signature one of a manifest, by one of the given keys? Pure.
 *
 * @module
 */

import type { Digest } from "../contract/names.ts";
import { checkBundle } from "./bundle.ts";
import type { Signature, SignatureVerdict } from "./signature.ts";
import { checkSimpleSigning } from "./simple-signing.ts";
import type { VerificationKey } from "./verification-key.ts";

/** Is this a signature of the manifest by one of the keys? Never throws. */
export function checkSignature(
  signature: Signature,
  manifest: Digest,
  keys: readonly VerificationKey[],
): SignatureVerdict {
  switch (signature.kind) {
    case "bundle":
      return checkBundle(signature.bytes, manifest, keys);
    case "simple-signing":
      return checkSimpleSigning(signature, manifest, keys);
  }
}
