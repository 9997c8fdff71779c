/**
 * What a signature of a component is, in the two forms that `cosign` stores, and whether it is one by a given key. Pure.
 *
 * A signature counts if it is by one of the keys, what it signs names the digest of the manifest, and what it signs is of the
 * signature type: an attestation by the same key says something else about the manifest. Entries of transparency logs and
 * timestamps are ignored: none is asked for.
 *
 * @module
 */

import type { Digest } from "../contract/names.ts";

/** A signature as it was found, not yet checked. */
export type Signature =
  /** Today's form: a sigstore bundle, which is a document of its own. */
  | { readonly kind: "bundle"; readonly bytes: Uint8Array }
  /** The form of before: the document that is signed, with the signature beside it. */
  | { readonly kind: "simple-signing"; readonly payload: Uint8Array; readonly signature: Uint8Array };

export type SignatureVerdict =
  /** It is one, by this key. */
  | { readonly kind: "signed"; readonly by: Digest }
  /** Why it does not count, as the end of a sentence. It may quote what was found, so it is not to be trusted. */
  | { readonly kind: "rejected"; readonly reason: string };
