/**
 * A repository of a registry as data, so that what other tools have put there can be put there again without them.
 *
 * @module
 */

import { z } from "zod";
import { digestOf } from "../../src/contract/digest.ts";
import type { OciClient } from "../../src/oci/client.ts";
import { MEDIA_TYPES, parseIndex, parseManifest } from "../../src/oci/manifest.ts";
import type { OciRepository } from "../../src/oci/reference.ts";
import type { Digest } from "../../src/contract/names.ts";

const manifestSchema = z.object({ mediaType: z.string(), tag: z.string().optional(), base64: z.base64() });

export const recordedRepositorySchema = z.object({
  blobs: z.array(z.base64()),
  /** In the order in which they can be pushed: what one points to is before it. */
  manifests: z.array(manifestSchema),
});

export type RecordedRepository = z.output<typeof recordedRepositorySchema>;

/** Reads everything that the tags lead to. */
export async function recordRepository(
  client: OciClient,
  at: OciRepository,
  tags: readonly string[],
): Promise<RecordedRepository> {
  const blobs = new Map<Digest, string>();
  const manifests = new Map<string, z.output<typeof manifestSchema>>();
  const add = async (tag: string | undefined, wanted: Digest | undefined): Promise<void> => {
    const { bytes, mediaType, digest } = await client.fetchManifest({ ...at, tag, digest: wanted });
    const entry = { mediaType, base64: bytes.toString("base64"), ...(tag !== undefined && { tag }) };
    if (mediaType === MEDIA_TYPES.index) for (const one of parseIndex(bytes)) await add(undefined, one.digest);
    else {
      const { config, layers } = parseManifest(bytes);
      for (const blob of [config, ...layers])
        blobs.set(blob.digest, (await client.fetchSmallBlob(at, blob, 1_000_000)).toString("base64"));
    }
    manifests.set(tag ?? digest, entry);
  };
  for (const tag of tags) await add(tag, undefined);
  return { blobs: [...blobs.values()], manifests: [...manifests.values()] };
}

/** Puts everything there again. */
export async function replayRepository(
  client: OciClient,
  at: OciRepository,
  { blobs, manifests }: RecordedRepository,
): Promise<void> {
  for (const base64 of blobs) {
    const bytes = Buffer.from(base64, "base64");
    await client.pushBlob(at, { digest: digestOf(bytes), size: bytes.length, open: () => bytes });
  }
  for (const { tag, base64, mediaType } of manifests)
    await client.pushManifest({ ...at, tag }, Buffer.from(base64, "base64"), mediaType);
}
