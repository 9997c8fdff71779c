/**
 * Signatures as sigstore bundles: an in-toto statement about the manifest, in a DSSE envelope that a key signed. What `cosign sign`
 * writes and `cosign verify --key` accepts. Pure.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_bundle.proto
 * @module
 */

import { z } from "zod";
import type { Digest } from "../contract/names.ts";
import { preAuthenticationEncoding } from "./dsse.ts";
import { quotedShort, readJsonDocument } from "./json-document.ts";
import type { SignatureVerdict } from "./signature.ts";
import type { SigningKey } from "./signing-key.ts";
import { isSignedBy, type VerificationKey } from "./verification-key.ts";

/** The media type that is written. All that begin with its first part are read. */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const BUNDLE_TYPES = "application/vnd.dev.sigstore.bundle";

/** What a statement says that is a signature. Attestations say something else about their subject. */
export const SIGNATURE_PREDICATE = "https://sigstore.dev/cosign/sign/v1";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const STATEMENT_PAYLOAD = "application/vnd.in-toto+json";

const bundleSchema = z.object({
  mediaType: z.string().startsWith(BUNDLE_TYPES),
  dsseEnvelope: z.object({
    payload: z.string(),
    payloadType: z.string(),
    signatures: z.array(z.object({ sig: z.string() })),
  }),
});

const statementSchema = z.object({
  _type: z.string(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })),
  predicateType: z.string(),
});

/** May a layer of this media type be a bundle? */
export function isBundleType(mediaType: string): boolean {
  return mediaType.startsWith(BUNDLE_TYPES);
}

/** Is the bundle a signature of the manifest by one of the keys? Never throws. */
export function checkBundle(bytes: Uint8Array, manifest: Digest, keys: readonly VerificationKey[]): SignatureVerdict {
  const { success, data } = bundleSchema.safeParse(readJsonDocument(bytes));
  if (!success) return rejected("it is not a sigstore bundle with a DSSE envelope");
  const { payload, payloadType, signatures } = data.dsseEnvelope;
  const [signature] = signatures;
  if (signature === undefined || signatures.length > 1)
    return rejected(`its envelope has ${signatures.length} signatures, and a bundle's has one`);
  if (payloadType !== STATEMENT_PAYLOAD)
    return rejected(`its payload is ${quotedShort(payloadType)} and no in-toto statement`);
  const signed = Buffer.from(payload, "base64");
  const data64 = preAuthenticationEncoding(payloadType, signed);
  const key = keys.find((one) => isSignedBy(one, data64, Buffer.from(signature.sig, "base64")));
  if (key === undefined) return rejected("it is by none of the keys, or was changed");
  const flaw = statementFlaw(signed, manifest);
  return flaw === undefined ? { kind: "signed", by: key.id } : rejected(flaw);
}

/** The statement that a signature of the manifest makes, signed. */
export function createBundle(manifest: Digest, key: SigningKey): Buffer {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ digest: { sha256: manifest }, annotations: {} }],
    predicateType: SIGNATURE_PREDICATE,
    predicate: {},
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = key.sign(preAuthenticationEncoding(STATEMENT_PAYLOAD, payload));
  const bundle = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: Buffer.from(key.public.id, "hex").toString("base64") } },
    dsseEnvelope: {
      payload: payload.toString("base64"),
      payloadType: STATEMENT_PAYLOAD,
      // Without the `keyid` that the format asks for: cosign refuses one that is the hint.
      signatures: [{ sig: signature.toString("base64") }],
    },
  };
  return Buffer.from(JSON.stringify(bundle));
}

function statementFlaw(payload: Uint8Array, manifest: Digest): string | undefined {
  const { success, data } = statementSchema.safeParse(readJsonDocument(payload));
  if (!success || !data._type.startsWith("https://in-toto.io/Statement/"))
    return "what it signs is not an in-toto statement";
  if (data.predicateType !== SIGNATURE_PREDICATE)
    return `it is of another type, ${quotedShort(data.predicateType)}, and no signature`;
  if (data.subject.some(({ digest }) => digest["sha256"] === manifest)) return undefined;
  return "what it signs names another digest";
}

function rejected(reason: string): SignatureVerdict {
  return { kind: "rejected", reason };
}
