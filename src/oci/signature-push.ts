/**
 * Puts a signature beside the component that it signs, where `cosign verify` looks: a manifest that refers to the component's, and,
 * in a registry without an API for that, the tag that stands in for it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 * @module
 */

import { digestOf } from "../contract/digest.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { BUNDLE_TYPE, SIGNATURE_PREDICATE } from "../signatures/bundle.ts";
import type { OciClient } from "./client.ts";
import { MEDIA_TYPES, readJson } from "./manifest.ts";
import { ociDigest, type OciRepository } from "./reference.ts";
import { referrersTag } from "./signature-search.ts";

/** What is needed of a client. */
export type SignatureSink = Pick<OciClient, "fetchManifestIfThere" | "listReferrers" | "pushBlob" | "pushManifest">;

/** What is signed, and the signature. */
export interface SignatureToPush {
  /** The component's manifest. */
  readonly subject: { readonly digest: Digest; readonly size: number; readonly mediaType: string };
  readonly bundle: Buffer;
  /** The time that the manifest names. */
  readonly created: Date;
}

/** Others write the tag, too, and registries do not compare: what was lost meanwhile is written again, so often. */
const MAX_TAG_WRITES = 5;

const EMPTY = Buffer.from("{}");

/** Pushes the signature; returns the digest of its manifest. Throws the codes of `OciClient`. */
export async function pushSignature(
  client: SignatureSink,
  { host, repository }: OciRepository,
  { subject, bundle, created }: SignatureToPush,
): Promise<Digest> {
  // The signature has no tag of its own: one that came along is the component's.
  const at = { host, repository };
  const contents = [bundle, EMPTY].map((bytes) => ({ digest: digestOf(bytes), size: bytes.length, open: () => bytes }));
  for (const content of contents) await client.pushBlob(at, content);
  const document = signatureManifest(subject, bundle, created);
  const bytes = Buffer.from(JSON.stringify(document));
  const { digest, knowsReferrers } = await client.pushManifest(at, bytes, MEDIA_TYPES.manifest);
  if (knowsReferrers || (await isListed(client, at, subject.digest, digest))) return digest;
  const { artifactType, annotations } = document;
  const entry = { mediaType: MEDIA_TYPES.manifest, size: bytes.length, digest: ociDigest(digest) };
  await addToTag(client, at, subject.digest, { ...entry, artifactType, annotations });
  return digest;
}

function signatureManifest({ digest, size, mediaType }: SignatureToPush["subject"], bundle: Buffer, created: Date) {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: BUNDLE_TYPE,
    config: { mediaType: MEDIA_TYPES.empty, digest: ociDigest(digestOf(EMPTY)), size: EMPTY.length },
    layers: [{ mediaType: BUNDLE_TYPE, digest: ociDigest(digestOf(bundle)), size: bundle.length }],
    subject: { mediaType, digest: ociDigest(digest), size },
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": SIGNATURE_PREDICATE,
      "org.opencontainers.image.created": created.toISOString(),
    },
  };
}

async function isListed(client: SignatureSink, at: OciRepository, subject: Digest, wanted: Digest): Promise<boolean> {
  return (await client.listReferrers(at, subject)).some(({ digest }) => digest === wanted);
}

interface IndexEntry {
  readonly digest: string;
  readonly [member: string]: unknown;
}

/** Adds an entry to the index under the tag; what other tools have put there stays as it is. */
async function addToTag(client: SignatureSink, at: OciRepository, subject: Digest, entry: IndexEntry): Promise<void> {
  const tag = referrersTag(subject);
  for (let writes = 0; writes < MAX_TAG_WRITES; writes += 1) {
    const entries = await entriesOf(client, at, tag);
    if (entries.some((one) => (one as Partial<IndexEntry> | null)?.digest === entry.digest)) return;
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [...entries, entry] };
    await client.pushManifest({ ...at, tag }, Buffer.from(JSON.stringify(index)), MEDIA_TYPES.index);
  }
  if ((await entriesOf(client, at, tag)).some((one) => (one as Partial<IndexEntry> | null)?.digest === entry.digest))
    return;
  throw new HostError(
    "registry-content-wrong",
    `${at.host}/${at.repository}: the tag ${tag} does not keep what is written to it; sign again when nobody else does`,
  );
}

async function entriesOf(client: SignatureSink, at: OciRepository, tag: string): Promise<readonly unknown[]> {
  const found = await client.fetchManifestIfThere({ ...at, tag, digest: undefined });
  if (found === undefined) return [];
  const { manifests } = readJson(found.bytes, "index") as { manifests?: unknown };
  if (found.mediaType === MEDIA_TYPES.index && Array.isArray(manifests)) return manifests as readonly unknown[];
  throw new HostError("registry-content-wrong", `${at.host}/${at.repository}: the tag ${tag} is not an index`);
}
