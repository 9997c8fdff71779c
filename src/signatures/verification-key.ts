/**
 * Public keys that signatures are checked with: ECDSA on P-256 and RSA, both with SHA-256. Pure.
 *
 * Other keys are refused when they are loaded, by name: `cosign` signs with them, and neither it nor sigstore-js can verify what it
 * signed. A private key or a certificate in a public key's place is refused too, though Node would take the key out of it.
 *
 * @module
 */

import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { digestOf } from "../contract/digest.ts";
import type { Digest } from "../contract/names.ts";

/** A key that signatures may be checked with. Plain data, so that a policy may hold it. */
export interface VerificationKey {
  /** SHA-256 of the key's DER form (SPKI): the same for every way to write the key. */
  readonly id: Digest;
  /** SPKI in PEM, as Node writes it. */
  readonly pem: string;
}

export type ParsedKey =
  | { readonly kind: "key"; readonly key: VerificationKey }
  /** Why it cannot be used, as the end of a sentence, with what to do. */
  | { readonly kind: "problem"; readonly problem: string };

/** The curve's name is OpenSSL's. */
const P256 = "prime256v1";
const RSA_MIN_BITS = 2_048;
const RSA_MAX_BITS = 4_096;

const MAX_PEM_CHARACTERS = 4_096;
const PUBLIC_KEY = /^-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+\r?\n-----END PUBLIC KEY-----$/;

/** Keys that cosign signs with: their types or curves as OpenSSL has them, and what they are called. */
const ONE_WAY: Readonly<Record<string, string>> = {
  secp384r1: "an ECDSA key on P-384",
  secp521r1: "an ECDSA key on P-521",
  ed25519: "an Ed25519 key",
};

/** Reads one public key in PEM, or says what is wrong with it. */
export function parseVerificationKey(text: string): ParsedKey {
  const pem = text.trim();
  if (/PRIVATE KEY-----/.test(pem))
    return problem("it is a private key, which belongs to whoever signs; write the public one (openssl pkey -pubout)");
  if (pem.length > MAX_PEM_CHARACTERS || !PUBLIC_KEY.test(pem))
    return problem("it is not one public key in PEM, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----");
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return problem("it is not a public key: what is between its first and its last line is damaged");
  }
  const unusable = keyProblem(key);
  return unusable === undefined ? { kind: "key", key: verificationKeyOf(key) } : problem(unusable);
}

/** The public key of a key, public or private, that is known to be usable. */
export function verificationKeyOf(key: KeyObject): VerificationKey {
  const own = key.type === "private" ? createPublicKey(key) : key;
  const id = digestOf(own.export({ type: "spki", format: "der" }));
  return { id, pem: own.export({ type: "spki", format: "pem" }) };
}

/** Why no signature can be made or checked with a key, as the end of a sentence; `undefined` if it can. */
export function keyProblem(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails: { namedCurve = "", modulusLength = 0 } = {} } =
    key;
  if (type === "ec" && namedCurve === P256) return undefined;
  if (type === "rsa") {
    if (modulusLength >= RSA_MIN_BITS && modulusLength <= RSA_MAX_BITS) return undefined;
    return `it is an RSA key of ${modulusLength} bits; use one of ${RSA_MIN_BITS} to ${RSA_MAX_BITS}, or ECDSA on P-256`;
  }
  const name = type === "ec" ? namedCurve : type;
  const known = ONE_WAY[name];
  const why =
    known === undefined ? `a key of the kind ${name}` : `${known}, whose signatures cosign makes but cannot verify`;
  return `it is ${why}; use ECDSA on P-256 or RSA`;
}

/** Is this the signature of the data by the key? */
export function isSignedBy({ pem }: VerificationKey, data: Uint8Array, signature: Uint8Array): boolean {
  // Without the hash, OpenSSL would choose one. The padding is for RSA; ECDSA ignores it.
  return verify("sha256", data, { key: pem, padding: constants.RSA_PKCS1_PADDING }, signature);
}

function problem(text: string): ParsedKey {
  return { kind: "problem", problem: text };
}
