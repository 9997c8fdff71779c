/**
 * Signatures of the real `cosign`, and ours for it. What it made once is recorded, and put into a registry at each run; with
 * AUTHORS=1 it is built, and both verify what the other has signed. RECORD_SIGNATURES=1 records it anew.
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { digestOf } from "../../src/contract/digest.ts";
import { OciClient } from "../../src/oci/client.ts";
import { pushComponent } from "../../src/oci/component-push.ts";
import { parseVerificationKey } from "../../src/signatures/verification-key.ts";
import { projectFile } from "../harness/plugins.ts";
import {
  type RecordedRepository,
  recordedRepositorySchema,
  recordRepository,
  replayRepository,
} from "../harness/recorded-repository.ts";
import { startRegistry } from "../harness/registry.ts";
import { p256Key, rsaKey } from "../harness/signing.ts";
import { run } from "../unit/cli/run.ts";
import { COSIGN_VERSION, type Cosign, obtainCosign, startReferrersRegistry } from "./cosign.ts";

const RECORDING = projectFile("test/fixtures/signatures/cosign.json");
const recordingSchema = z.object({
  cosign: z.string(),
  /** Public, in PEM. */
  keys: z.record(z.string(), z.string()),
  repositories: z.record(z.string(), recordedRepositorySchema),
});

/** What is signed: the smallest component there is. */
const COMPONENT = Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);

/** What cosign does, and who has signed then. */
const CASES: Readonly<
  Record<
    string,
    { readonly signers: readonly string[]; readonly make: (cosign: Cosign, at: string) => Promise<unknown> }
  >
> = {
  "bundle-p256": { signers: ["p256"], make: (cosign, at) => cosign.sign("p256", at) },
  "bundle-rsa": { signers: ["rsa"], make: (cosign, at) => cosign.sign("rsa", at) },
  "bundle-both": {
    signers: ["p256", "rsa"],
    make: async (cosign, at) => {
      await cosign.sign("p256", at);
      await cosign.sign("rsa", at);
    },
  },
  "before-p256": { signers: ["p256"], make: (cosign, at) => cosign.signAsBefore("p256", at) },
  "before-both": {
    signers: ["p256", "rsa"],
    make: async (cosign, at) => {
      await cosign.signAsBefore("p256", at);
      await cosign.signAsBefore("rsa", at);
    },
  },
  "attestation-alone": { signers: [], make: (cosign, at) => cosign.attest("p256", at) },
};
const NAMES = Object.keys(CASES);

let folder: string;
let registry: AsyncDisposable & { readonly host: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cosign-"));
  registry = await startRegistry();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function openClient(host: string): OciClient {
  const credentials = () => Promise.resolve(undefined);
  return new OciClient({ plainHttpHosts: [host], proxies: {}, userAgent: "test", credentials });
}

/** Whose signatures `network-host verify` finds; the exit code says the same. Keys are files of the folder: `<name>.pub`. */
async function signersOf(
  at: { readonly host: string; readonly repository: string; readonly folder: string },
  keys: readonly string[],
): Promise<readonly string[]> {
  const files = keys.map((name) => join(at.folder, `${name}.pub`));
  const flags = [...files.flatMap((file) => ["--key", file]), "--registry-plain-http", at.host, "--json"];
  const { code, stdout } = await run(["verify", `oci://${at.host}/${at.repository}:1.0.0`, ...flags]);
  const { signatures } = JSON.parse(stdout) as { signatures: readonly { key: string }[] };
  expect(code).toBe(signatures.length > 0 ? 0 : 1);
  const signers = new Set(signatures.map(({ key }) => key));
  const parsed = await Promise.all(files.map(async (file) => parseVerificationKey(await readFile(file, "utf8"))));
  return keys.filter((_, index) => {
    const one = parsed[index];
    return one?.kind === "key" && signers.has(`sha256:${one.key.id}`);
  });
}

describe("what cosign has signed once, in a registry without an API for referrers,", () => {
  let recording: z.output<typeof recordingSchema>;
  beforeAll(async () => {
    recording = recordingSchema.parse(JSON.parse(await readFile(RECORDING, "utf8")));
    for (const [name, pem] of Object.entries(recording.keys)) await writeFile(join(folder, `${name}.pub`), pem);
  });

  test.each(NAMES)("is what it is: %s", async (name) => {
    const recorded = recording.repositories[name] ?? { blobs: [], manifests: [] };
    await using client = openClient(registry.host);
    const at = { host: registry.host, repository: `recorded/${name}` };
    await replayRepository(client, at, recorded);
    const found = await signersOf({ ...at, folder }, ["p256", "rsa"]);
    expect(found).toEqual(CASES[name]?.signers);
    expect(await signersOf({ ...at, folder }, ["other"])).toEqual([]);
  });

  test("is of the version that is built with AUTHORS=1", () => {
    expect(recording.cosign).toBe(COSIGN_VERSION);
  });
});

/** @returns the digest of its manifest, in hexadecimal digits */
async function pushTo(host: string, repository: string): Promise<string> {
  await using client = openClient(host);
  const content = { digest: digestOf(COMPONENT), size: COMPONENT.length, open: () => COMPONENT };
  const at = { host, repository, tag: "1.0.0" };
  const component = { title: "c.wasm", content, imports: [], exports: [], created: new Date() };
  return (await pushComponent(client, at, component)).manifest;
}

describe.runIf(process.env["AUTHORS"] === "1").each(["with", "without"] as const)(
  "cosign itself, and a registry %s an API for referrers",
  (api) => {
    let keyring: string;
    let cosign: Cosign;
    let own: AsyncDisposable & { readonly host: string };
    const keys = { p256: p256Key(), rsa: rsaKey() };

    beforeAll(async () => {
      keyring = await mkdtemp(join(folder, `${api}-`));
      cosign = await obtainCosign(keyring);
      own = await (api === "with" ? startReferrersRegistry() : startRegistry());
      for (const [name, key] of Object.entries(keys)) {
        await cosign.importKey(name, key.pem);
        await writeFile(join(keyring, `${name}.pub`), key.public.pem);
        await writeFile(join(keyring, `${name}.pem`), key.pem);
      }
      await writeFile(join(keyring, "other.pub"), p256Key().public.pem);
    });
    afterAll(() => own[Symbol.asyncDispose]());

    test.each(NAMES)("verifies as cosign means it: %s", async (name) => {
      await pushTo(own.host, `theirs/${name}`);
      await CASES[name]?.make(cosign, `${own.host}/theirs/${name}:1.0.0`);
      expect(
        await signersOf({ host: own.host, repository: `theirs/${name}`, folder: keyring }, ["p256", "rsa"]),
      ).toEqual(CASES[name]?.signers);
      expect(await signersOf({ host: own.host, repository: `theirs/${name}`, folder: keyring }, ["other"])).toEqual([]);
    });

    test.each(["p256", "rsa"] as const)("signs what cosign verifies, by a key of %s and no other", async (name) => {
      const repository = `ours/${name}`;
      const reference = `${own.host}/${repository}@sha256:${await pushTo(own.host, repository)}`;
      const key = ["--key", join(keyring, `${name}.pem`)];
      const signed = await run(["sign", `oci://${reference}`, ...key, "--registry-plain-http", own.host]);
      expect([signed.code, signed.stderr]).toEqual([0, ""]);
      expect(await cosign.verify(`${name}.pub`, reference)).toContain("docker-manifest-digest");
      await expect(cosign.verify("other.pub", reference)).rejects.toThrow();
    });

    test("lets both sign the same component, one after the other", async () => {
      await pushTo(own.host, "both");
      const reference = `${own.host}/both:1.0.0`;
      await cosign.sign("p256", reference);
      const key = ["--key", join(keyring, "rsa.pem")];
      await run(["sign", `oci://${reference}`, ...key, "--registry-plain-http", own.host]);
      expect(await signersOf({ host: own.host, repository: "both", folder: keyring }, ["p256", "rsa"])).toEqual([
        "p256",
        "rsa",
      ]);
      for (const name of ["p256", "rsa"]) await cosign.verify(`${name}.pub`, reference);
    });

    test.runIf(api === "without" && process.env["RECORD_SIGNATURES"] === "1")("is recorded", async () => {
      await using client = openClient(own.host);
      const repositories: Record<string, RecordedRepository> = {};
      for (const name of NAMES) {
        const at = { host: own.host, repository: `theirs/${name}` };
        const tags = (await client.listTags(at)).toSorted();
        repositories[name] = await recordRepository(client, at, tags);
      }
      const names = ["p256", "rsa", "other"];
      const pems = names.map(async (name) => [name, await readFile(join(keyring, `${name}.pub`), "utf8")] as const);
      const recording = { cosign: COSIGN_VERSION, keys: Object.fromEntries(await Promise.all(pems)), repositories };
      await writeFile(RECORDING, `${JSON.stringify(recording, undefined, 1)}\n`);
    });
  },
);
