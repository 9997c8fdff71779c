import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import type { Digest } from "../../../src/contract/names.ts";
import { OciClient } from "../../../src/oci/client.ts";
import { MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import type { OciReference } from "../../../src/oci/reference.ts";
import { ComponentStore } from "../../../src/registry/component-store.ts";
import { expectSigned } from "../../../src/registry/signature-checks.ts";
import { createBundle } from "../../../src/signatures/bundle.ts";
import { type LocalServer, startHttpServer } from "../../harness/local-server.ts";
import { p256Key, type TestKey } from "../../harness/signing.ts";

const KEY = p256Key();
const NEW_KEY = p256Key();
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const COMPONENT = digestOf("a component");

const descriptor = (mediaType: string, digest: Digest, size: number) => ({
  mediaType,
  digest: `sha256:${digest}`,
  size,
});
const manifestOf = (layer: object, others: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: descriptor(MEDIA_TYPES.empty, digestOf("{}"), 2),
      layers: [layer],
      ...others,
    }),
  );

/** The same component, pushed at another time. */
const pushedAt = (created: string, component = COMPONENT): Buffer =>
  manifestOf(descriptor(MEDIA_TYPES.wasm, component, 11), { annotations: { created } });

const OLD = pushedAt("then");
const NOW = pushedAt("now");

let root: string;
let store: ComponentStore;
let server: LocalServer;
/** What the registry has, by the end of its path. */
let has: Map<string, Buffer>;
let asked: number;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "signature-checks-"));
  store = await ComponentStore.open(root);
  has = new Map([OLD, NOW].map((bytes) => [`manifests/sha256:${digestOf(bytes)}`, bytes]));
  asked = 0;
  server = await startHttpServer(({ url = "" }, response) => {
    asked += 1;
    const path = url.slice("/v2/echo/".length);
    const type = path.startsWith("referrers/") ? MEDIA_TYPES.index : MEDIA_TYPES.manifest;
    response.writeHead(has.has(path) ? 200 : 404, { "content-type": type }).end(has.get(path));
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

/** Puts a signature of a manifest into the registry. */
function sign(subject: Buffer, key: TestKey): void {
  const bundle = createBundle(digestOf(subject), key.signing);
  const about = descriptor(MEDIA_TYPES.manifest, digestOf(subject), subject.length);
  const bytes = manifestOf(descriptor(BUNDLE, digestOf(bundle), bundle.length), { subject: about });
  has.set(`blobs/sha256:${digestOf(bundle)}`, bundle);
  has.set(`manifests/sha256:${digestOf(bytes)}`, bytes);
  const manifests = [descriptor(MEDIA_TYPES.manifest, digestOf(bytes), bytes.length)];
  has.set(
    `referrers/sha256:${digestOf(subject)}`,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests })),
  );
}

/** As a load does it. */
async function signers(manifest: Buffer, keys: readonly TestKey[], component = COMPONENT): Promise<readonly Digest[]> {
  await using client = new OciClient({
    userAgent: "test",
    plainHttpHosts: [server.authority],
    credentials: () => Promise.resolve(undefined),
  });
  const reference: OciReference = { host: server.authority, repository: "echo", tag: "1", digest: undefined };
  const options = { client, store, signal: new AbortController().signal };
  const referenced = { reference, manifest: digestOf(manifest), component };
  return await expectSigned(
    options,
    referenced,
    keys.map((key) => key.public),
  );
}

const OLD_ID = KEY.public.id;
const NEW_ID = NEW_KEY.public.id;

describe("a component that was signed and is pushed again, unsigned", () => {
  beforeEach(async () => {
    sign(OLD, KEY);
    expect(await signers(OLD, [KEY])).toEqual([OLD_ID]);
    asked = 0;
  });

  test("is still signed where the signature of its bytes was kept, and nobody is asked", async () => {
    expect(await signers(NOW, [KEY])).toEqual([OLD_ID]);
    expect(asked).toBe(0);
  });

  test("is not signed where nothing was kept", async () => {
    await rm(root, { recursive: true });
    store = await ComponentStore.open(root);
    await expect(signers(NOW, [KEY])).rejects.toMatchObject({ code: "signature-missing" });
  });

  test("vouches for no other component, and for no other key", async () => {
    const other = digestOf("another component");
    const evil = pushedAt("now", other);
    has.set(`manifests/sha256:${digestOf(evil)}`, evil);
    for (const manifest of [OLD, evil])
      await expect(signers(manifest, [KEY], other)).rejects.toMatchObject({ code: "signature-missing" });
    await expect(signers(NOW, [NEW_KEY])).rejects.toMatchObject({ code: "signature-missing" });
  });

  test("is signed by a new key, too, once that has signed the manifest of now, and that is kept", async () => {
    expect(await signers(NOW, [KEY, NEW_KEY])).toEqual([OLD_ID]);
    sign(NOW, NEW_KEY);
    expect(await signers(NOW, [KEY, NEW_KEY])).toEqual([OLD_ID, NEW_ID]);
    asked = 0;
    expect(await signers(NOW, [NEW_KEY])).toEqual([NEW_ID]);
    expect(asked).toBe(0);
  });
});
