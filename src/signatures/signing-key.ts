/**
 * The private key that signs: PEM, encrypted with a password or not. It is in no message and in no log.
 *
 * @module
 */

import { constants, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { HostError } from "../errors/host-error.ts";
import { keyProblem, type VerificationKey, verificationKeyOf } from "./verification-key.ts";

export class SigningKey {
  readonly #key: KeyObject;
  /** For those who check. */
  readonly public: VerificationKey;

  /** Reads a key in PEM. `name` is its file's, for messages. Throws `key-unusable`. */
  constructor(pem: string, password: string | undefined, name: string) {
    this.#key = readPrivateKey(pem, password, name);
    const problem = keyProblem(this.#key);
    if (problem !== undefined) throw unusable(name, problem);
    this.public = verificationKeyOf(this.#key);
  }

  /** ECDSA signatures are in DER, as cosign has them. */
  sign(data: Uint8Array): Buffer {
    return sign("sha256", data, { key: this.#key, padding: constants.RSA_PKCS1_PADDING });
  }
}

function readPrivateKey(pem: string, password: string | undefined, name: string): KeyObject {
  if (/-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----/.test(pem))
    throw unusable(
      name,
      "it is encrypted in cosign's own way, which Node cannot decrypt; make a key with openssl (docs/signing.md), which " +
        "cosign takes by import-key-pair",
    );
  if (/-----BEGIN PUBLIC KEY-----/.test(pem)) throw unusable(name, "it is a public key; the private one signs");
  const isEncrypted = /ENCRYPTED/.test(pem);
  if (isEncrypted && password === undefined)
    throw unusable(name, "it is encrypted; give its password in SIGNING_KEY_PASSWORD or SIGNING_KEY_PASSWORD_FILE");
  try {
    return createPrivateKey({ key: pem, format: "pem", ...(isEncrypted && { passphrase: password }) });
  } catch {
    if (isEncrypted) throw unusable(name, "its password is another one, or it is damaged");
    // The error of OpenSSL is not repeated: it may quote what it read.
    throw unusable(name, "it is not a private key in PEM (-----BEGIN PRIVATE KEY-----)");
  }
}

function unusable(name: string, problem: string): HostError {
  return new HostError("key-unusable", `${name} cannot be used: ${problem}`);
}
