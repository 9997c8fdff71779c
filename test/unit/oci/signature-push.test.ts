import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { MEDIA_TYPES, parseIndex } from "../../../src/oci/manifest.ts";
import { pushSignature, type SignatureSink } from "../../../src/oci/signature-push.ts";

const SUBJECT = { digest: digestOf("the manifest"), size: 500, mediaType: MEDIA_TYPES.manifest };
const AT = { host: "registry.test", repository: "plugins/echo", tag: "1.0.0", digest: undefined };
const TAG = `sha256-${SUBJECT.digest}`;
const THEIRS = { mediaType: MEDIA_TYPES.manifest, digest: `sha256:${digestOf("theirs")}`, size: 1, unknown: true };

/** A registry in memory. Others may write the tag as soon as it was written. */
class FakeRegistry implements SignatureSink {
  readonly tags = new Map<string, Buffer>();
  readonly pushed: (string | undefined)[] = [];
  hasApi = false;
  /** So often what is written to a tag is undone by another writer. */
  undoes = 0;

  async pushBlob() {
    return "uploaded" as const;
  }

  async pushManifest({ tag }: { readonly tag?: string | undefined }, bytes: Uint8Array) {
    this.pushed.push(tag);
    if (tag !== undefined && this.undoes-- > 0) this.tags.set(tag, indexOf(THEIRS));
    else if (tag !== undefined) this.tags.set(tag, Buffer.from(bytes));
    return { digest: digestOf(bytes), knowsReferrers: this.hasApi };
  }

  async listReferrers() {
    return [];
  }

  async fetchManifestIfThere({ tag = "" }: { readonly tag: string | undefined }) {
    const bytes = this.tags.get(tag);
    if (bytes === undefined) return undefined;
    const { mediaType } = JSON.parse(bytes.toString()) as { mediaType: string };
    return { bytes, digest: digestOf(bytes), mediaType, etag: undefined };
  }
}

function indexOf(...manifests: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }));
}

const push = (registry: FakeRegistry) =>
  pushSignature(registry, AT, { subject: SUBJECT, bundle: Buffer.from("{}"), created: new Date(0) });
const listed = (registry: FakeRegistry) => parseIndex(registry.tags.get(TAG) ?? indexOf()).map(({ digest }) => digest);

describe("a signature's place in a registry", () => {
  test("with an API for referrers is without a tag, and never the component's", async () => {
    const registry = new FakeRegistry();
    registry.hasApi = true;
    await push(registry);
    expect(registry.pushed).toEqual([undefined]);
  });

  test("without one is the tag that stands in for it, beside what others have there", async () => {
    const registry = new FakeRegistry();
    registry.tags.set(TAG, indexOf(THEIRS));
    const digest = await push(registry);
    expect(registry.pushed).toEqual([undefined, TAG]);
    expect(listed(registry)).toEqual([digestOf("theirs"), digest]);
    expect(registry.tags.get(TAG)?.toString()).toContain('"unknown":true');
  });

  test("is written again if another writer has undone it", async () => {
    const registry = new FakeRegistry();
    registry.undoes = 2;
    const digest = await push(registry);
    expect(listed(registry)).toEqual([digestOf("theirs"), digest]);
  });

  test("is given up, with a word, if it does not stay", async () => {
    const registry = new FakeRegistry();
    registry.undoes = 1_000;
    await expect(push(registry)).rejects.toMatchObject({
      code: "registry-content-wrong",
      message: expect.stringContaining("does not keep what is written to it"),
    });
    expect(registry.pushed.length).toBeLessThan(10);
  });

  test("is not taken from whatever else has that tag", async () => {
    const registry = new FakeRegistry();
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest }));
    registry.tags.set(TAG, bytes);
    await expect(push(registry)).rejects.toMatchObject({ message: expect.stringContaining("is not an index") });
    expect(registry.tags.get(TAG)).toBe(bytes);
  });
});
