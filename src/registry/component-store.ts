/**
 * Components of registries on disk, below the cache folder:
 *
 *     components/<digest>.wasm           a component, verified before it has this name, and whenever it is loaded
 *     components/refs/<key>.json         what a reference stood for when its registry was last asked
 *     components/refs/<key>.wasm         a link to that component: the path that a plugin loads, replaced as a whole
 *     components/refs/<key>.proof.json   the signatures of that component that a policy asked for
 *     components/named/<key>.json        the references of one consumer file
 *
 * Replicas may share it. What a consumer file names is never removed; other components make room, the oldest first. A consumer
 * file that is gone from this machine counts for a while longer, since another machine may have it.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { digestOf } from "../contract/digest.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { MIB } from "../contract/limit-row.ts";
import { type Digest, isDigest } from "../contract/names.ts";
import { componentPathIn, type RemoteComponent, UNFINISHED_PREFIX } from "../oci/component-pull.ts";
import { formatReference, OCI_SCHEME, type OciReference } from "../oci/reference.ts";
import { removeStale, replaceFile, syncDirectory, syncFile } from "./durable-files.ts";
import { formatProof, parseProof, type SignatureProof } from "./signature-proof.ts";
import { expectOwnFolder, makeOwnFolder } from "./own-folder.ts";
import { hasCode } from "./system-errors.ts";

/** A manifest of the largest size, and a signature of the largest size by each of many keys. */
const MAX_PROOF_BYTES = 16 * MIB;

/** Younger components may belong to a replica that is about to name them. */
const FRESH_MS = 60 * 60_000;

const digestSchema = z.string().refine(isDigest);
const recordSchema = z.object({
  reference: z.string(),
  manifest: digestSchema,
  etag: z.string().optional(),
  component: digestSchema,
  size: z.number(),
});
const namedSchema = z.object({ consumerFile: z.string(), references: z.array(z.string()) });

/** What a reference stood for. */
export type StoredReference = Pick<RemoteComponent, "manifest" | "etag"> & {
  readonly component: Digest;
  readonly size: number;
};

/** The path of the component that a reference stands for, in a cache folder. It may not exist yet. Pure. */
export function referencePath(cacheDir: string, reference: OciReference): string {
  return join(cacheDir, "components", "refs", `${keyOf(reference)}.wasm`);
}

/** The reference as logs and files name it. */
export function referenceText(reference: OciReference): string {
  return OCI_SCHEME + formatReference(reference);
}

/** A component that is here, and why. */
export interface ListedComponent {
  readonly digest: Digest;
  readonly bytes: number;
  /** What stands for it, as far as registries have said. */
  readonly references: readonly string[];
  /** Does a consumer file name it? Then it stays. */
  readonly isNamed: boolean;
}

export class ComponentStore {
  readonly #cacheDir: string;
  /** Where components are, by digest. */
  readonly folder: string;
  /** Paths of components and records that the disk may not have yet, in the order in which it should get them. */
  readonly #unsynced = new Set<string>();

  private constructor(cacheDir: string) {
    this.#cacheDir = cacheDir;
    this.folder = join(cacheDir, "components");
  }

  /** Opens or creates the folders. Throws `usage-invalid` if other users may write to them. */
  static async open(cacheDir: string): Promise<ComponentStore> {
    const store = new ComponentStore(cacheDir);
    for (const folder of [store.folder, store.#refs, store.#named]) {
      await makeOwnFolder(folder);
      await expectOwnFolder(folder);
      await removeStale(folder, UNFINISHED_PREFIX);
    }
    return store;
  }

  /** The components below a cache folder, by digest. Makes nothing: none where there is no such folder. */
  static async list(cacheDir: string): Promise<readonly ListedComponent[]> {
    const store = new ComponentStore(cacheDir);
    const kept = await store.#keptDigests();
    const references = new Map<Digest, string[]>();
    for (const name of await namesIn(store.#refs)) {
      if (!name.endsWith(".json") || name.endsWith(".proof.json")) continue;
      const record = await readJsonFile(join(store.#refs, name), recordSchema);
      if (record !== undefined)
        references.set(record.component, [...(references.get(record.component) ?? []), record.reference]);
    }
    return (await store.#components())
      .map(({ digest, size }) => ({
        digest,
        bytes: size,
        references: (references.get(digest) ?? []).sort(),
        isNamed: kept.has(digest),
      }))
      .sort((one, other) => one.digest.localeCompare(other.digest));
  }

  /** What a reference stood for, if that component is here. */
  async find(reference: OciReference): Promise<StoredReference | undefined> {
    const record = await readJsonFile(this.#recordPath(keyOf(reference)), recordSchema);
    if (record === undefined || record.reference !== referenceText(reference)) return undefined;
    const { manifest, etag, component, size } = record;
    // A digest names its manifest, whatever a record says.
    if (reference.digest !== undefined && reference.digest !== manifest) return undefined;
    if (!(await this.has(component, size))) return undefined;
    // The link is made after the record, and a process may have ended between the two.
    await this.#link(reference, component, await linkTarget(referencePath(this.#cacheDir, reference)));
    return { manifest, etag, component, size };
  }

  /** Is a component here? Its bytes are compared with its digest when it is loaded. */
  async has(digest: Digest, size: number): Promise<boolean> {
    return (await sizeOf(componentPathIn(this.folder, digest))) === size;
  }

  /**
   * Makes a component that is here the one that a reference stands for. What it stood for before is replaced durably, once the disk has
   * the component; of a reference that is new here, the disk has both after {@link persist}.
   */
  async point(reference: OciReference, record: StoredReference): Promise<void> {
    const path = this.#recordPath(keyOf(reference));
    const staging = join(this.#refs, UNFINISHED_PREFIX + randomUUID());
    const content = JSON.stringify({ reference: referenceText(reference), ...record });
    const before = await linkTarget(referencePath(this.#cacheDir, reference));
    const component = componentPathIn(this.folder, record.component);
    if (before === undefined) {
      await writeFile(staging, content, { flag: "wx", mode: 0o600 });
      await rename(staging, path);
      this.#unsynced.add(component).add(path);
    } else {
      await syncFile(component).catch(unlessGone);
      await syncDirectory(this.folder);
      await replaceFile(staging, path, content);
    }
    await this.#link(reference, record.component, before);
  }

  /**
   * Waits until the disk has what was pointed to. A power cut before that costs another transfer: a record or a component that is
   * torn or missing is as if it had never been.
   */
  async persist(): Promise<void> {
    if (this.#unsynced.size === 0) return;
    // One after another: loads need the threads of the file system, too. What fails is left for the next time.
    for (const path of this.#unsynced) {
      await syncFile(path).catch(unlessGone);
      this.#unsynced.delete(path);
    }
    for (const folder of [this.folder, this.#refs]) await syncDirectory(folder);
  }

  /** The signatures of what a reference stood for, if any were kept. They are not verified. */
  async readProof(reference: OciReference): Promise<SignatureProof | undefined> {
    const path = this.#proofPath(reference);
    const size = await sizeOf(path);
    if (size === undefined || size > MAX_PROOF_BYTES) return undefined;
    const text = await readFile(path, "utf8").catch(unlessGone);
    return text === undefined ? undefined : parseProof(text);
  }

  /** Keeps the signatures of what a reference stands for. A proof that is too large is not kept: the registry is asked again. */
  async writeProof(reference: OciReference, proof: SignatureProof): Promise<void> {
    const content = formatProof(proof);
    if (content.length > MAX_PROOF_BYTES) return;
    await replaceFile(join(this.#refs, UNFINISHED_PREFIX + randomUUID()), this.#proofPath(reference), content);
  }

  /** Removes a component that is not what its name says. */
  async discard(digest: Digest): Promise<void> {
    await rm(componentPathIn(this.folder, digest), { force: true });
  }

  /** Records the references of a consumer file: their components stay. */
  async name(consumerFile: string, references: readonly OciReference[]): Promise<void> {
    const staging = join(this.#named, UNFINISHED_PREFIX + randomUUID());
    const content = JSON.stringify({ consumerFile, references: references.map(referenceText) });
    await replaceFile(staging, join(this.#named, `${digestOf(consumerFile)}.json`), content);
  }

  /** Removes components that no consumer file names until the rest has at most `maxBytes`, if that can be. */
  async prune(maxBytes: number): Promise<void> {
    const found = await this.#components();
    let bytes = found.reduce((sum, { size }) => sum + size, 0);
    if (bytes <= maxBytes) return;
    const kept = await this.#keptDigests();
    const youngestMs = Date.now() - FRESH_MS;
    const unnamed = found.filter(({ digest, modifiedMs }) => !kept.has(digest) && modifiedMs < youngestMs);
    for (const { digest, size } of unnamed.toSorted((a, b) => a.modifiedMs - b.modifiedMs)) {
      if (bytes <= maxBytes) return;
      await this.discard(digest);
      bytes -= size;
    }
  }

  get #refs(): string {
    return join(this.folder, "refs");
  }

  get #named(): string {
    return join(this.folder, "named");
  }

  #proofPath(reference: OciReference): string {
    return join(this.#refs, `${keyOf(reference)}.proof.json`);
  }

  #recordPath(key: string): string {
    return join(this.#refs, `${key}.json`);
  }

  /** By a rename where there is a link already, `before`: the path always leads to a whole component. */
  async #link(reference: OciReference, component: Digest, before: string | undefined): Promise<void> {
    const path = referencePath(this.#cacheDir, reference);
    const target = componentPathIn("..", component);
    if (before === target) return;
    if (before === undefined && (await isNew(symlink(target, path)))) return;
    const staging = join(this.#refs, UNFINISHED_PREFIX + randomUUID());
    await symlink(target, staging);
    await rename(staging, path);
  }

  async #components(): Promise<readonly { digest: Digest; size: number; modifiedMs: number }[]> {
    const digests = (await namesIn(this.folder)).map((name) => name.replace(/\.wasm$/, "")).filter(isDigest);
    const infos = digests.map(async (digest) => {
      const info = await stat(componentPathIn(this.folder, digest)).catch(unlessGone);
      return info === undefined ? [] : [{ digest, size: info.size, modifiedMs: info.mtimeMs }];
    });
    return (await Promise.all(infos)).flat();
  }

  async #keptDigests(): Promise<ReadonlySet<Digest>> {
    const kept = new Set<Digest>();
    for (const name of await namesIn(this.#named)) {
      const path = join(this.#named, name);
      const list = await readJsonFile(path, namedSchema);
      if (list === undefined || !(await isInForce(path, list.consumerFile))) continue;
      for (const reference of list.references) {
        const record = await readJsonFile(this.#recordPath(digestOf(reference)), recordSchema);
        if (record !== undefined) kept.add(record.component);
      }
    }
    return kept;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(unlessGone)) ?? [];
}

function keyOf(reference: OciReference): string {
  return digestOf(referenceText(reference));
}

async function isInForce(path: string, consumerFile: string): Promise<boolean> {
  if ((await sizeOf(consumerFile)) !== undefined) return true;
  const info = await stat(path).catch(unlessGone);
  return info !== undefined && Date.now() - info.mtimeMs < FIXED_LIMITS.componentKeepMs;
}

async function readJsonFile<Output>(path: string, schema: z.ZodType<Output>): Promise<Output | undefined> {
  const text = await readFile(path, "utf8").catch(unlessGone);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // Edited by hand, or of another version: as if it were not there, the registry is asked again.
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(unlessGone))?.size;
}

/** False where there was something of that name. */
async function isNew(making: Promise<void>): Promise<boolean> {
  try {
    await making;
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    return false;
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  return await readlink(path).catch(unlessGone);
}

function unlessGone(error: unknown): undefined {
  if (!hasCode(error, "ENOENT", "ENOTDIR", "EINVAL")) throw error;
}
