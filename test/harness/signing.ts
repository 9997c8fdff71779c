/**
 * Keys of tests, made anew each time, and signatures that are wrong in one way each.
 *
 * @module
 */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Digest } from "../../src/contract/names.ts";
import { preAuthenticationEncoding } from "../../src/signatures/dsse.ts";
import { SigningKey } from "../../src/signatures/signing-key.ts";
import { type VerificationKey, verificationKeyOf } from "../../src/signatures/verification-key.ts";

export interface TestKey {
  readonly signing: SigningKey;
  readonly public: VerificationKey;
  /** PKCS#8 in PEM. */
  readonly pem: string;
  readonly object: KeyObject;
}

function keyOf({ privateKey }: { readonly privateKey: KeyObject }): TestKey {
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  const signing = new SigningKey(pem, undefined, "the test's key");
  return { signing, public: verificationKeyOf(privateKey), pem, object: privateKey };
}

export function p256Key(): TestKey {
  return keyOf(generateKeyPairSync("ec", { namedCurve: "P-256" }));
}

export function rsaKey(modulusLength = 2_048): TestKey {
  return keyOf(generateKeyPairSync("rsa", { modulusLength }));
}

export const PREDICATE = "https://sigstore.dev/cosign/sign/v1";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";

export interface BundleParts {
  readonly key: TestKey;
  readonly manifest: Digest;
  readonly predicateType?: string;
  readonly payloadType?: string;
  readonly statementType?: string;
  /** How often the one signature is there. */
  readonly signatures?: number;
  /** Members besides those that count, as a transparency log's entries. */
  readonly material?: object;
}

/** A bundle, signed by the key as it is. */
export function bundleOf(parts: BundleParts): Buffer {
  const { key, manifest, predicateType = PREDICATE, payloadType = PAYLOAD_TYPE, signatures = 1, material } = parts;
  const statement = {
    _type: parts.statementType ?? "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: manifest } }],
    predicateType,
    predicate: {},
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const sig = sign("sha256", preAuthenticationEncoding(payloadType, payload), key.object).toString("base64");
  return Buffer.from(
    JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: { hint: "anything" }, ...material },
      dsseEnvelope: {
        payload: payload.toString("base64"),
        payloadType,
        signatures: Array.from({ length: signatures }, () => ({ sig })),
      },
    }),
  );
}

/** A document of the form of before, and its signature. */
export function simpleSigningOf(
  key: TestKey,
  manifest: Digest,
  type = "cosign container image signature",
): { readonly kind: "simple-signing"; readonly payload: Buffer; readonly signature: Buffer } {
  const image = { "docker-manifest-digest": `sha256:${manifest}` };
  const critical = { identity: { "docker-reference": "registry.test/echo" }, image, type };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  return { kind: "simple-signing", payload, signature: sign("sha256", payload, key.object) };
}
