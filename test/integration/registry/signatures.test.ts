import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { digestOf, shortDigest } from "../../../src/contract/digest.ts";
import type { Digest } from "../../../src/contract/names.ts";
import { OciClient } from "../../../src/oci/client.ts";
import { MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import { pushSignature } from "../../../src/oci/signature-push.ts";
import { createBundle } from "../../../src/signatures/bundle.ts";
import { until } from "../../../scripts/lib/until.ts";
import { COMPONENTS, consumerFile, policyFiles, uniqueName } from "../../harness/plugins.ts";
import { type OwnRegistry, startRegistry } from "../../harness/registry.ts";
import { type Replica, type ReplicaOptions, startReplica } from "../../harness/replica.ts";
import { request } from "../../harness/request.ts";
import { bundleOf, p256Key, rsaKey, simpleSigningOf, type TestKey } from "../../harness/signing.ts";
import { run } from "../../unit/cli/run.ts";

const ECHO = shortDigest(digestOf(await readFile(COMPONENTS.echo)));
const GAUNTLET = shortDigest(digestOf(await readFile(COMPONENTS.gauntlet("none"))));
const KEY = p256Key();
const NEW_KEY = rsaKey();

let registry: OwnRegistry;
let folder: string;
let client: OciClient;

beforeEach(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), "signatures-"));
  client = new OciClient({
    plainHttpHosts: [registry.host],
    proxies: {},
    userAgent: "test",
    credentials: () => Promise.resolve(undefined),
  });
  for (const [name, { pem, public: key }] of Object.entries({ key: KEY, new: NEW_KEY })) {
    await writeFile(join(folder, `${name}.pem`), pem);
    await writeFile(join(folder, `${name}.pub`), key.pem);
  }
});
afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const repository = () => ({ host: registry.host, repository: "plugins/echo" });
const reference = (tag = "1.0.0") => `oci://${registry.host}/plugins/echo:${tag}`;
const command = (...args: readonly string[]) => run([...args, "--registry-plain-http", registry.host]);

/** Returns the manifest's digest. */
async function push(file: string, tag = "1.0.0"): Promise<Digest> {
  const { code, stdout } = await command("push", file, reference(tag), "--json");
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { manifest: string }).manifest.replace("sha256:", "") as Digest;
}

const sign = (name: "key" | "new") => command("sign", reference(), "--key", join(folder, `${name}.pem`));
const verify = (...names: readonly string[]) =>
  command("verify", reference(), "--json", ...names.flatMap((name) => ["--key", join(folder, `${name}.pub`)]));

/** Puts a bundle beside a manifest, as a signature is, whatever is in it. */
async function attach(manifest: Digest, bundle: Buffer): Promise<void> {
  const { bytes, mediaType } = await client.fetchManifest({ ...repository(), tag: undefined, digest: manifest });
  const subject = { digest: manifest, size: bytes.length, mediaType };
  await pushSignature(client, repository(), { subject, bundle, created: new Date() });
}

describe("sign and verify, at a registry without an API for referrers", () => {
  test("a component is signed by two keys, and the tag goes on standing for it", async () => {
    const manifest = await push(COMPONENTS.echo);
    expect(await verify("key")).toMatchObject({ code: 1, stdout: expect.stringContaining('"signed":false') });
    const { code, stdout } = await sign("key");
    expect([code, stdout]).toEqual([0, expect.stringContaining(`signed by the key sha256:${KEY.public.id}`)]);
    expect((await sign("new")).code).toBe(0);
    const { stdout: told } = await verify("key", "new");
    const { signatures, reference: named } = JSON.parse(told) as { signatures: { key: string }[]; reference: string };
    expect(named).toBe(`oci://${registry.host}/plugins/echo@sha256:${manifest}`);
    expect(signatures.map(({ key }) => key).sort()).toEqual(
      [KEY, NEW_KEY].map(({ public: { id } }) => `sha256:${id}`).sort(),
    );
    const tags = (await command("tags", `oci://${registry.host}/plugins/echo`)).stdout.trim().split("\n");
    expect(tags.sort()).toEqual(["1.0.0", `sha256-${manifest}`]);
    expect((await client.fetchManifest({ ...repository(), tag: "1.0.0", digest: undefined })).digest).toBe(manifest);
  });

  test("what a tag stands for is signed with a warning that names it; what push printed is signed without", async () => {
    const manifest = await push(COMPONENTS.echo);
    expect(await sign("key")).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(`^warning: the reference has no digest.*sha256:${manifest}`),
    });
    const pinned = `oci://${registry.host}/plugins/echo@sha256:${manifest}`;
    expect(await command("sign", pinned, "--key", join(folder, "new.pem"))).toMatchObject({ code: 0, stderr: "" });
    expect((await verify("new")).code).toBe(0);
  });

  test("a component that is not the file given is not signed, and nothing is written", async () => {
    const manifest = await push(COMPONENTS.echo);
    // Somebody else who may push.
    await push(COMPONENTS.gauntlet("none"));
    const signing = (file: string, at = reference()) =>
      command("sign", at, "--key", join(folder, "key.pem"), "--component", file);
    expect(await signing(COMPONENTS.echo)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^error component-differs: .*nothing was signed/),
    });
    expect((await command("tags", `oci://${registry.host}/plugins/echo`)).stdout).toBe("1.0.0\n");
    expect(await signing(join(folder, "none.wasm"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("component-unreadable"),
    });
    const pinned = `oci://${registry.host}/plugins/echo@sha256:${manifest}`;
    expect(await signing(COMPONENTS.echo, pinned)).toMatchObject({ code: 0, stderr: "" });
  });

  test("a component that is pushed again is another manifest, which nobody has signed", async () => {
    await push(COMPONENTS.echo);
    await sign("key");
    await command("push", COMPONENTS.echo, reference(), "--annotation", "again=yes");
    expect((await verify("key")).code).toBe(1);
  });
});

describe("a replica under a policy that demands a signature", () => {
  let nats: NatsConnection;
  let plugin: string;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });
  afterAll(() => nats.close());
  beforeEach(() => {
    plugin = uniqueName("signed");
  });

  function policy(...keys: readonly TestKey[]): Record<string, string> {
    return policyFiles({ [plugin]: { signedBy: keys.map((key) => key.public.pem) } });
  }

  function serve(options: Partial<ReplicaOptions> = {}): Promise<Replica> {
    return startReplica({
      consumer: consumerFile({ group: plugin, plugins: { [plugin]: reference() } }),
      policies: policy(KEY),
      args: ["--registry-plain-http", registry.host, "--registry-check", "1s", "--cache", join(folder, "cache")],
      ...options,
    });
  }

  const loaded = (replica: Replica, digest: string, signers: readonly TestKey[] = [KEY]) =>
    replica.logged(
      (entry) =>
        entry["msg"] === "plugin loaded" &&
        entry["digest"] === digest &&
        JSON.stringify(entry["signedBy"]) === JSON.stringify(signers.map((key) => shortDigest(key.public.id))),
    );
  const refused = (replica: Replica, code: string, text = "") =>
    replica.logged(({ err }) => {
      const { code: found, message = "" } = (err ?? {}) as { code?: string; message?: string };
      return found === code && message.includes(text);
    });
  const ask = async (text: string) => await request(nats, `rpc.${plugin}.echo`, text);

  /** Its requests are answered with an error, as soon as it takes requests at all. */
  async function unavailable(code = "plugin-unavailable"): Promise<void> {
    const isAnswered = async () => (await ask("x").catch(() => undefined))?.error === code;
    await until(isAnswered, { what: `requests are answered with ${code}` });
  }

  test("loads nothing that is not signed, and serves it once it is", async () => {
    await push(COMPONENTS.echo);
    await using replica = await serve({ waitFor: "process" });
    const { err } = await refused(replica, "signature-missing", "there is no signature");
    expect((err as { message: string }).message).toContain(`no key of the policy (${shortDigest(KEY.public.id)})`);
    expect(replica.records.filter(({ msg }) => String(msg).includes("compiled"))).toEqual([]);
    await unavailable();
    await sign("key");
    await loaded(replica, ECHO);
    expect((await ask("signed")).text).toBe("signed");
  });

  test("goes on with what it has when the tag is moved to what nobody has signed, whatever is beside it", async () => {
    await push(COMPONENTS.echo);
    await sign("key");
    await using replica = await serve();
    await loaded(replica, ECHO);
    const manifest = await push(COMPONENTS.gauntlet("none"), "next");
    const good = JSON.parse(createBundle(manifest, KEY.signing).toString());
    const other = JSON.parse(createBundle(digestOf("other"), KEY.signing).toString());
    const exchanged = { ...other, dsseEnvelope: { ...other.dsseEnvelope, payload: good.dsseEnvelope.payload } };
    const attacks = {
      "by none of the keys": createBundle(manifest, NEW_KEY.signing),
      "names another digest": createBundle(digestOf("other"), KEY.signing),
      "of another type": bundleOf({ key: KEY, manifest, predicateType: "https://slsa.dev/provenance/v1" }),
      "has 2 signatures": bundleOf({ key: KEY, manifest, signatures: 2 }),
      "or was changed": Buffer.from(JSON.stringify(exchanged)),
      "is larger than": Buffer.alloc(300_000, "x"),
      "not a sigstore bundle": Buffer.from("null"),
    };
    for (const bundle of Object.values(attacks)) await attach(manifest, bundle);
    const { bytes } = await client.fetchManifest({ ...repository(), tag: undefined, digest: manifest });
    await client.pushManifest({ ...repository(), tag: "1.0.0" }, bytes, MEDIA_TYPES.manifest);

    const { err } = await refused(replica, "signature-missing");
    const { message } = err as { message: string };
    for (const reason of Object.keys(attacks)) expect(message).toContain(reason);
    expect((await ask("still")).text).toBe("still");
    expect(replica.records.filter(({ digest, msg }) => digest === GAUNTLET && msg === "plugin loaded")).toEqual([]);
    await sign("key");
    await loaded(replica, GAUNTLET);
  });

  test("refuses a list that leads to the signature of another component", async () => {
    const other = await push(COMPONENTS.gauntlet("none"));
    await sign("key");
    const manifest = await push(COMPONENTS.echo);
    const tag = (of: Digest) => ({ ...repository(), tag: `sha256-${of}`, digest: undefined });
    const { bytes } = await client.fetchManifest(tag(other));
    await client.pushManifest(tag(manifest), bytes, MEDIA_TYPES.index);
    await using replica = await serve({ waitFor: "process" });
    await refused(replica, "signature-missing", "it refers to another manifest");

    await sign("key");
    await loaded(replica, ECHO);
  });

  test("reads signatures of the form of before", async () => {
    const manifest = await push(COMPONENTS.echo);
    const { payload, signature } = simpleSigningOf(KEY, manifest);
    const config = Buffer.from("{}");
    for (const content of [payload, config])
      await client.pushBlob(repository(), { digest: digestOf(content), size: content.length, open: () => content });
    const annotations = { "dev.cosignproject.cosign/signature": signature.toString("base64") };
    const type = "application/vnd.dev.cosign.simplesigning.v1+json";
    const descriptor = (content: Buffer) => ({ digest: `sha256:${digestOf(content)}`, size: content.length });
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...descriptor(config) },
      layers: [{ mediaType: type, ...descriptor(payload), annotations }],
    };
    const at = { ...repository(), tag: `sha256-${manifest}.sig` };
    await client.pushManifest(at, Buffer.from(JSON.stringify(document)), MEDIA_TYPES.manifest);
    await using replica = await serve();
    await loaded(replica, ECHO);
  });

  test("starts from its cache when the registry is gone, and not under another key", async () => {
    await push(COMPONENTS.echo);
    await sign("key");
    {
      await using first = await serve();
      await loaded(first, ECHO);
    }
    await registry.kill();
    {
      await using again = await serve();
      await loaded(again, ECHO);
      expect((await ask("from the cache")).text).toBe("from the cache");
    }
    await using other = await serve({ policies: policy(NEW_KEY), waitFor: "process" });
    await refused(other, "registry-unreachable");
    await unavailable();
  });

  test("changes keys without a pause: sign with the new one, name it beside the old one, leave the old one out", async () => {
    await push(COMPONENTS.echo);
    await sign("key");
    await using replica = await serve();
    await loaded(replica, ECHO);
    await sign("new");
    const name = `${plugin}.yaml`;
    await replica.writePolicy(name, policy(KEY, NEW_KEY)[name] ?? "");
    await loaded(replica, ECHO, [KEY, NEW_KEY]);
    await replica.writePolicy(name, policy(NEW_KEY)[name] ?? "");
    const narrowed = await replica.logged(({ msg }) => String(msg).startsWith("permissions were narrowed"));
    expect(JSON.stringify(narrowed)).toContain(`signatures by the key ${shortDigest(KEY.public.id)}`);
    await loaded(replica, ECHO, [NEW_KEY]);
    expect((await ask("rotated")).text).toBe("rotated");
  });

  test("ends what serves when its key is taken away and no other has signed", async () => {
    await push(COMPONENTS.echo);
    await sign("key");
    await using replica = await serve();
    await loaded(replica, ECHO);
    const name = `${plugin}.yaml`;
    await replica.writePolicy(name, policy(NEW_KEY)[name] ?? "");
    await refused(replica, "signature-missing", "by none of the keys");
    await unavailable();
  });

  test("refuses a component that is a file, and says what to do", async () => {
    const consumer = consumerFile({ group: plugin, plugins: { [plugin]: COMPONENTS.echo } });
    await using replica = await serve({ consumer, waitFor: "process" });
    const { err } = await refused(replica, "signature-needs-registry");
    expect((err as { message: string }).message).toContain("name it as oci://<host>/<repository>:<tag>");
    await unavailable("plugin-unloadable");
  });
});
