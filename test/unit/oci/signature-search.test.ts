import { afterEach, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { type Descriptor, MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import { findSignatures, type SignatureSource } from "../../../src/oci/signature-search.ts";
import { createBundle } from "../../../src/signatures/bundle.ts";
import { bundleOf, p256Key, simpleSigningOf } from "../../harness/signing.ts";

const AT = { host: "registry.test", repository: "plugins/echo" };
const MANIFEST = digestOf("the component's manifest");
const ELSEWHERE = digestOf("another manifest");
const KEY = p256Key();
const NEW_KEY = p256Key();
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json";

/** A registry in memory, which does what it is told to. */
class FakeRegistry implements SignatureSource {
  readonly manifests = new Map<string, Buffer>();
  readonly blobs = new Map<Digest, Buffer>();
  referrers: Descriptor[] = [];
  /** Fails every list with this. */
  failure: HostError | undefined;
  fetched = 0;

  isSilent = false;

  async listReferrers(_at: unknown, _subject: Digest, signal?: AbortSignal): Promise<readonly Descriptor[]> {
    if (this.isSilent) await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    if (this.failure !== undefined) throw this.failure;
    return this.referrers;
  }

  async fetchManifest({ digest, tag }: { readonly digest: Digest | undefined; readonly tag: string | undefined }) {
    this.fetched += 1;
    const bytes = this.manifests.get(digest ?? tag ?? "");
    if (bytes === undefined) throw new HostError("registry-not-found", "404");
    const { mediaType } = JSON.parse(bytes.toString()) as { mediaType: string };
    return { bytes, digest: digestOf(bytes), mediaType, etag: undefined };
  }

  async fetchManifestIfThere({ tag }: { readonly tag: string | undefined }) {
    return this.manifests.has(tag ?? "") ? await this.fetchManifest({ digest: undefined, tag }) : undefined;
  }

  async fetchSmallBlob(_: unknown, { digest, size }: Pick<Descriptor, "digest" | "size">, maxBytes: number) {
    if (size > maxBytes) throw new HostError("registry-content-wrong", `a blob of ${size} bytes is larger`);
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw new HostError("registry-not-found", "404");
    return bytes;
  }

  /** Puts a manifest with one layer there, and returns what a list says of it. */
  put(
    content: Buffer,
    options: { readonly subject?: Digest; readonly type?: string; readonly signature?: Buffer } = {},
  ): Descriptor {
    const { subject = MANIFEST, type = BUNDLE, signature } = options;
    this.blobs.set(digestOf(content), content);
    const annotations = signature && { "dev.cosignproject.cosign/signature": signature.toString("base64") };
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.manifest,
        config: { mediaType: MEDIA_TYPES.empty, digest: `sha256:${digestOf("{}")}`, size: 2 },
        layers: [{ mediaType: type, digest: `sha256:${digestOf(content)}`, size: content.length, annotations }],
        subject: { mediaType: MEDIA_TYPES.manifest, digest: `sha256:${subject}`, size: 500 },
      }),
    );
    const digest = digestOf(bytes);
    this.manifests.set(digest, bytes);
    return { mediaType: MEDIA_TYPES.manifest, digest, size: bytes.length };
  }

  tag(name: string, entries: readonly Descriptor[]): void {
    const manifests = entries.map((entry) => ({ ...entry, digest: `sha256:${entry.digest}` }));
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
    this.manifests.set(name, Buffer.from(JSON.stringify(index)));
  }
}

const search = (registry: FakeRegistry, keys = [KEY]) =>
  findSignatures(
    registry,
    { at: AT, manifest: MANIFEST },
    keys.map((key) => key.public),
  );

const GOOD = createBundle(MANIFEST, KEY.signing);

describe("signatures of a manifest", () => {
  test("are found by the registry's API, whatever type it says they are of", async () => {
    const registry = new FakeRegistry();
    const entry = registry.put(GOOD);
    registry.referrers = [{ ...entry, artifactType: MEDIA_TYPES.empty }];
    const { fitting, flaws } = await search(registry);
    expect(fitting).toMatchObject([{ by: KEY.public.id, place: `sha256:${entry.digest}` }]);
    expect(flaws).toEqual([]);
  });

  test("are found by the tag that stands in for the API, also where the API knows nothing of it", async () => {
    const registry = new FakeRegistry();
    registry.tag(`sha256-${MANIFEST}`, [registry.put(GOOD)]);
    expect((await search(registry)).fitting).toHaveLength(1);
  });

  test("are found under the tag of the form of before", async () => {
    const registry = new FakeRegistry();
    const { payload, signature } = simpleSigningOf(KEY, MANIFEST);
    const tag = `sha256-${MANIFEST}.sig`;
    const entry = registry.put(payload, { type: SIMPLE, signature });
    registry.manifests.set(tag, registry.manifests.get(entry.digest) ?? Buffer.alloc(0));
    expect((await search(registry)).fitting).toMatchObject([{ by: KEY.public.id, place: `tag ${tag}` }]);
  });

  test("are looked for in all places until each of the keys has signed", async () => {
    const registry = new FakeRegistry();
    registry.referrers = [registry.put(createBundle(MANIFEST, NEW_KEY.signing))];
    registry.tag(`sha256-${MANIFEST}`, [registry.put(GOOD)]);
    const { fitting } = await search(registry, [KEY, NEW_KEY]);
    expect(fitting.map(({ by }) => by).sort()).toEqual([KEY.public.id, NEW_KEY.public.id].sort());
  });

  test("are not found where there is nothing", async () => {
    expect(await search(new FakeRegistry())).toEqual({ fitting: [], flaws: [] });
  });
});

describe("a signature is passed over with a word, and hides no good one, where it", () => {
  const LARGE = Buffer.alloc(FIXED_LIMITS.signatureBytes + 1, "x");
  const PROVENANCE = "https://slsa.dev/provenance/v1";

  test.each<[string, (registry: FakeRegistry) => Descriptor, string]>([
    ["is by another key", (r) => r.put(createBundle(MANIFEST, NEW_KEY.signing)), "by none of the keys"],
    ["names another digest", (r) => r.put(createBundle(ELSEWHERE, KEY.signing)), "names another digest"],
    ["refers to another manifest", (r) => r.put(GOOD, { subject: ELSEWHERE }), "it refers to another manifest"],
    [
      "is of another type",
      (r) => r.put(bundleOf({ key: KEY, manifest: MANIFEST, predicateType: PROVENANCE })),
      `of another type, "${PROVENANCE}"`,
    ],
    ["is larger than the limit", (r) => r.put(LARGE), "is larger"],
    ["is no bundle", (r) => r.put(Buffer.from("{")), "not a sigstore bundle"],
    ["is listed and not there", () => ({ mediaType: MEDIA_TYPES.manifest, digest: digestOf("x"), size: 1 }), "404"],
  ])("%s", async (_, put, flaw) => {
    const registry = new FakeRegistry();
    registry.referrers = [put(registry)];
    expect(await search(registry)).toEqual({ fitting: [], flaws: [expect.stringContaining(flaw)] });
    registry.referrers.push(registry.put(GOOD));
    expect(await search(registry)).toMatchObject({ fitting: [{ by: KEY.public.id }] });
  });

  test("is in a list that cannot be read", async () => {
    const registry = new FakeRegistry();
    registry.failure = new HostError("registry-content-wrong", "a list does not end");
    registry.tag(`sha256-${MANIFEST}`, [registry.put(GOOD)]);
    expect(await search(registry)).toMatchObject({ fitting: [{ by: KEY.public.id }] });
  });
});

test("a signature of exactly the largest size counts, and one that is larger does not", async () => {
  const registry = new FakeRegistry();
  const padded = (length: number): Buffer => Buffer.concat([GOOD, Buffer.alloc(length - GOOD.length, " ")]);
  registry.referrers = [registry.put(padded(FIXED_LIMITS.signatureBytes + 1))];
  expect((await search(registry)).fitting).toEqual([]);
  registry.referrers = [registry.put(padded(FIXED_LIMITS.signatureBytes))];
  expect((await search(registry)).fitting).toHaveLength(1);
});

test("signatures of a huge list are looked at up to a number, and what comes after them counts as absent", async () => {
  const registry = new FakeRegistry();
  const others = Array.from({ length: FIXED_LIMITS.signaturesExamined * 3 }, (_, index) =>
    registry.put(createBundle(digestOf(`manifest ${index}`), KEY.signing), { subject: ELSEWHERE }),
  );
  registry.referrers = [...others, registry.put(GOOD)];
  const { fitting, flaws } = await search(registry);
  expect(fitting).toEqual([]);
  expect(registry.fetched).toBe(FIXED_LIMITS.signaturesExamined);
  expect(flaws.at(-1)).toMatch(/^\d+ more$/);
});

test.each(["registry-unreachable", "registry-denied", "registry-throttled"] as const)(
  "a registry that is %s has not been asked: that is no answer",
  async (code) => {
    const registry = new FakeRegistry();
    registry.failure = new HostError(code);
    await expect(search(registry)).rejects.toMatchObject({ code });
  },
);

afterEach(() => vi.restoreAllMocks());

test("a registry that says nothing is asked for a time and no longer", async () => {
  const clock = new AbortController();
  const asked: number[] = [];
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    asked.push(ms);
    return clock.signal;
  });
  const registry = new FakeRegistry();
  registry.isSilent = true;
  const searching = search(registry);
  clock.abort(new HostError("registry-unreachable", "it took too long"));
  await expect(searching).rejects.toMatchObject({ code: "registry-unreachable" });
  expect(asked).toEqual([FIXED_LIMITS.signatureSearchMs]);
});
