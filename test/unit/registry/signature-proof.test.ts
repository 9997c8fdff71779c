import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import type { Digest } from "../../../src/contract/names.ts";
import { MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import { checkProof, formatProof, parseProof, type SignatureProof } from "../../../src/registry/signature-proof.ts";
import { createBundle } from "../../../src/signatures/bundle.ts";
import { p256Key, simpleSigningOf } from "../../harness/signing.ts";

const KEY = p256Key();
const OTHER = p256Key();
const COMPONENT = digestOf("a component");

function manifestOf(component: Digest): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: MEDIA_TYPES.wasmConfig, digest: `sha256:${digestOf("{}")}`, size: 2 },
      layers: [{ mediaType: MEDIA_TYPES.wasm, digest: `sha256:${component}`, size: 11 }],
    }),
  );
}

const BYTES = manifestOf(COMPONENT);
const MANIFEST = digestOf(BYTES);
const WANTED = { manifest: MANIFEST, component: COMPONENT };
const PROOF: SignatureProof = {
  manifest: BYTES,
  signatures: [{ kind: "bundle", bytes: createBundle(MANIFEST, KEY.signing) }, simpleSigningOf(OTHER, MANIFEST)],
};

const signers = (proof: SignatureProof | undefined, wanted = WANTED, keys = [KEY]) =>
  proof === undefined
    ? "unreadable"
    : checkProof(
        proof,
        wanted,
        keys.map((key) => key.public),
      ).map(({ by }) => by);

describe("a proof that is kept", () => {
  test("is good for the keys that have signed, after it was written and read", () => {
    const read = parseProof(formatProof(PROOF));
    expect(signers(read)).toEqual([KEY.public.id]);
    expect(signers(read, WANTED, [OTHER, KEY])).toEqual([KEY.public.id, OTHER.public.id]);
    expect(signers(read, WANTED, [p256Key()])).toEqual([]);
  });

  test("proves nothing of another component, whatever the folder's record says the manifest is", () => {
    const evil = digestOf("another component");
    expect(signers(PROOF, { manifest: MANIFEST, component: evil })).toEqual([]);
    const exchanged = { ...PROOF, manifest: manifestOf(evil) };
    expect(signers(exchanged, { manifest: MANIFEST, component: evil })).toEqual([]);
    expect(signers(exchanged, { manifest: digestOf(exchanged.manifest), component: evil })).toEqual([]);
  });

  test("proves nothing of another manifest of the same component", () => {
    const again = Buffer.concat([BYTES, Buffer.from("\n")]);
    expect(signers({ ...PROOF, manifest: again }, { manifest: digestOf(again), component: COMPONENT })).toEqual([]);
  });

  test.each(["", "{", "null", "{}", '{"manifest":"*","signatures":[]}', '{"manifest":"","signatures":[{"kind":"x"}]}'])(
    "is not there if its file holds %j",
    (text) => {
      expect(parseProof(text)).toBeUndefined();
    },
  );

  test("proves nothing where its manifest is not one", () => {
    const garbage = Buffer.from("garbage");
    expect(signers({ ...PROOF, manifest: garbage }, { ...WANTED, manifest: digestOf(garbage) })).toEqual([]);
  });
});
