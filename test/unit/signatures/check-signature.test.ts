import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { createBundle } from "../../../src/signatures/bundle.ts";
import { checkSignature } from "../../../src/signatures/check-signature.ts";
import type { Signature, SignatureVerdict } from "../../../src/signatures/signature.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { bundleOf, p256Key, rsaKey, simpleSigningOf } from "../../harness/signing.ts";

const KEYS = { "P-256": p256Key(), RSA: rsaKey() };
const KEY = KEYS["P-256"];
const OTHER = p256Key();
const MANIFEST = digestOf("the manifest");
const ELSEWHERE = digestOf("another manifest");
const TIME_BUDGET = { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 2_000 };

const check = (signature: Signature): SignatureVerdict => checkSignature(signature, MANIFEST, [KEY.public]);
const checkBundle = (bytes: Uint8Array): SignatureVerdict => check({ kind: "bundle", bytes });
const rejected = (reason: string) => ({ kind: "rejected", reason: expect.stringContaining(reason) });

describe.each(Object.entries(KEYS))("a signature by a key of %s", (_, key) => {
  const signatures: readonly Signature[] = [
    { kind: "bundle", bytes: createBundle(MANIFEST, key.signing) },
    { kind: "bundle", bytes: bundleOf({ key, manifest: MANIFEST }) },
    simpleSigningOf(key, MANIFEST),
  ];

  test.each(signatures)("$kind fits that key among several, and says which", (signature) => {
    const keys = [OTHER.public, key.public];
    expect(checkSignature(signature, MANIFEST, keys)).toEqual({ kind: "signed", by: key.public.id });
  });

  test.each(signatures)("$kind fits no other key, and none where none is given", (signature) => {
    const reason = "it is by none of the keys, or was changed";
    expect(checkSignature(signature, MANIFEST, [OTHER.public])).toEqual({ kind: "rejected", reason });
    expect(checkSignature(signature, MANIFEST, [])).toEqual({ kind: "rejected", reason });
  });

  test.each(signatures)("$kind does not count for another manifest", (signature) => {
    expect(checkSignature(signature, ELSEWHERE, [key.public])).toEqual(rejected("names another digest"));
  });
});

describe("a bundle", () => {
  test("of another type than a signature does not count, whoever signed it", () => {
    const predicateType = "https://slsa.dev/provenance/v1";
    expect(checkBundle(bundleOf({ key: KEY, manifest: MANIFEST, predicateType }))).toEqual(
      rejected(`of another type, "${predicateType}"`),
    );
  });

  test("is judged without its log entries and its hint", () => {
    const material = { tlogEntries: [{ logIndex: "1" }], timestampVerificationData: {} };
    expect(checkBundle(bundleOf({ key: KEY, manifest: MANIFEST, material }))).toMatchObject({ kind: "signed" });
  });

  test.each([
    ["two signatures", { signatures: 2 }, "has 2 signatures"],
    ["no signature", { signatures: 0 }, "has 0 signatures"],
    ["a payload of another type", { payloadType: "text/plain" }, "no in-toto statement"],
    ["something else signed", { statementType: "https://example.com/v1" }, "not an in-toto statement"],
  ])("with %s does not count", (_, parts, reason) => {
    expect(checkBundle(bundleOf({ key: KEY, manifest: MANIFEST, ...parts }))).toEqual(rejected(reason));
  });

  test("whose payload was exchanged for one about this manifest does not count", () => {
    const [signed, wanted] = [ELSEWHERE, MANIFEST].map((manifest) =>
      JSON.parse(bundleOf({ key: KEY, manifest }).toString()),
    );
    signed.dsseEnvelope.payload = wanted.dsseEnvelope.payload;
    expect(checkBundle(Buffer.from(JSON.stringify(signed)))).toEqual(rejected("or was changed"));
  });

  test("with any byte of its payload changed does not count", () => {
    const whole = JSON.parse(bundleOf({ key: KEY, manifest: MANIFEST }).toString());
    const payload = Buffer.from(whole.dsseEnvelope.payload, "base64");
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const tampered = Buffer.from(payload);
        tampered.writeUInt8(tampered.readUInt8(at) ^ change, at);
        const envelope = { ...whole.dsseEnvelope, payload: tampered.toString("base64") };
        return checkBundle(Buffer.from(JSON.stringify({ ...whole, dsseEnvelope: envelope }))).kind === "rejected";
      }),
      TIME_BUDGET,
    );
  });

  test("that is anything at all is rejected and throws nothing", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
    );
    fc.assert(
      fc.property(texts, (text) => checkBundle(Buffer.from(text, "latin1")).kind === "rejected"),
      TIME_BUDGET,
    );
    expect(checkBundle(Buffer.alloc(0))).toEqual(rejected("not a sigstore bundle"));
  });
});

describe("a signature of the form of before", () => {
  test("of another type does not count", () => {
    expect(check(simpleSigningOf(KEY, MANIFEST, "atomic container signature"))).toEqual(rejected("of another type"));
  });

  test("does not count without a signature, with another document's, and with a changed byte", () => {
    const good = simpleSigningOf(KEY, MANIFEST);
    const { signature } = simpleSigningOf(KEY, ELSEWHERE);
    expect(check({ ...good, signature: Buffer.alloc(0) })).toEqual(rejected("none of the keys"));
    expect(check({ ...good, signature })).toEqual(rejected("none of the keys"));
    expect(check({ ...good, payload: Buffer.concat([good.payload, Buffer.from("\n")]) })).toEqual(
      rejected("none of the keys"),
    );
  });
});
