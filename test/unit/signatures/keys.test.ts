import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCertificate } from "../../harness/certificate.ts";
import { SigningKey } from "../../../src/signatures/signing-key.ts";
import { isSignedBy, parseVerificationKey } from "../../../src/signatures/verification-key.ts";
import { p256Key, rsaKey } from "../../harness/signing.ts";

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const pemOf = ({ publicKey }: KeyPair): string => publicKey.export({ type: "spki", format: "pem" });
const privatePemOf = ({ privateKey }: KeyPair): string => privateKey.export({ type: "pkcs8", format: "pem" });

const REFUSED: readonly (readonly [string, KeyPair, string])[] = [
  ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" }), "an ECDSA key on P-384, whose signatures cosign makes"],
  ["P-521", generateKeyPairSync("ec", { namedCurve: "P-521" }), "an ECDSA key on P-521, whose signatures cosign makes"],
  ["Ed25519", generateKeyPairSync("ed25519"), "an Ed25519 key, whose signatures cosign makes but cannot verify"],
  ["secp256k1", generateKeyPairSync("ec", { namedCurve: "secp256k1" }), "a key of the kind secp256k1"],
  ["RSA-PSS", generateKeyPairSync("rsa-pss", { modulusLength: 2_048 }), "a key of the kind rsa-pss"],
  ["X25519", generateKeyPairSync("x25519"), "a key of the kind x25519"],
  ["RSA of 1024 bits", generateKeyPairSync("rsa", { modulusLength: 1_024 }), "an RSA key of 1024 bits"],
];

describe("a public key", () => {
  test.each([
    ["P-256", p256Key()],
    ["RSA of 2048 bits", rsaKey()],
    ["RSA of 4096 bits", rsaKey(4_096)],
  ])("of %s checks what its private key signed", (_, { public: key, signing }) => {
    const parsed = parseVerificationKey(`\n${key.pem.replaceAll("\n", "\r\n")}`);
    expect(parsed).toEqual({ kind: "key", key });
    const data = Buffer.from("data");
    expect(isSignedBy(key, data, signing.sign(data))).toBe(true);
    expect(isSignedBy(key, Buffer.from("other"), signing.sign(data))).toBe(false);
    for (const length of [0, 1, 64, 70, 256, 5_000]) expect(isSignedBy(key, data, Buffer.alloc(length, 7))).toBe(false);
  });

  test.each(REFUSED)("of %s is refused when it is loaded, by name and with what to use", (_, pair, problem) => {
    expect(parseVerificationKey(pemOf(pair))).toEqual({ kind: "problem", problem: expect.stringContaining(problem) });
    expect(() => new SigningKey(privatePemOf(pair), undefined, "k.pem")).toThrow(
      expect.objectContaining({ code: "key-unusable", message: expect.stringContaining(problem) }),
    );
  });

  test.each([
    ["a private key", p256Key().pem, "it is a private key, which belongs to whoever signs"],
    ["two keys", p256Key().public.pem + p256Key().public.pem, "not one public key in PEM"],
    ["nothing", "", "not one public key in PEM"],
    ["something damaged", p256Key().public.pem.replace(/MFk.{8}/, "MFkAAAAAAAA"), "damaged"],
    ["text without end", `-----BEGIN PUBLIC KEY-----\n${"A".repeat(1_000_000)}`, "not one public key in PEM"],
  ])("is not %s", (_, text, problem) => {
    expect(parseVerificationKey(text)).toEqual({ kind: "problem", problem: expect.stringContaining(problem) });
  });

  test("is not a certificate, though one has a key in it", () => {
    const { cert } = createCertificate(["localhost"]);
    expect(parseVerificationKey(cert)).toMatchObject({ kind: "problem" });
  });
});

describe("a private key", () => {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const encrypted = pair.privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "s3cret",
  });

  test("may be encrypted, and needs its password then", () => {
    const key = new SigningKey(encrypted, "s3cret", "k.pem");
    expect(isSignedBy(key.public, Buffer.from("x"), key.sign(Buffer.from("x")))).toBe(true);
    const without = () => new SigningKey(encrypted, undefined, "k.pem");
    expect(without).toThrow(/k\.pem cannot be used: it is encrypted; give its password in SIGNING_KEY_PASSWORD/);
    const wrong = () => new SigningKey(encrypted, "s3cre", "k.pem");
    expect(wrong).toThrow(/^k\.pem cannot be used: its password is another one, or it is damaged$/);
  });

  test("that is not encrypted ignores a password, which may be that of another key", () => {
    expect(new SigningKey(privatePemOf(pair), "s3cret", "k.pem").public.pem).toBe(pemOf(pair));
  });

  test("may be of the forms of before, which openssl still writes", () => {
    const old = pair.privateKey.export({ type: "sec1", format: "pem" });
    expect(new SigningKey(old, undefined, "k.pem").public.pem).toBe(pemOf(pair));
  });

  test.each([
    [
      "cosign's own form",
      "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJ9\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
      "encrypted in cosign's own way",
    ],
    ["a public key", pemOf(pair), "it is a public key; the private one signs"],
    ["something else", "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----", "not a private key in PEM"],
  ])("is not %s, and no message quotes it", (_, text, problem) => {
    expect(() => new SigningKey(text, "s3cret", "k.pem")).toThrow(problem);
  });
});
