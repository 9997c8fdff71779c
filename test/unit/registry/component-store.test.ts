import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest } from "../../../src/contract/names.ts";
import type { OciReference } from "../../../src/oci/reference.ts";
import { ComponentStore, referencePath } from "../../../src/registry/component-store.ts";

const SIZE = 1_000;
const DAY_MS = 24 * 60 * 60_000;

let root: string;
let store: ComponentStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "component-store-"));
  store = await ComponentStore.open(root);
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

function reference(tag: string): OciReference {
  return { host: "a.example", repository: "echo", tag, digest: undefined };
}

/** Puts a component there that is so many days old. */
async function put(content: string, days = 1): Promise<Digest> {
  const bytes = content.padEnd(SIZE);
  const digest = digestOf(bytes);
  const path = join(store.folder, `${digest}.wasm`);
  await writeFile(path, bytes);
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(path, then, then);
  return digest;
}

const record = (component: Digest) => ({ manifest: digestOf("m"), etag: '"e"', component, size: SIZE });

const components = async (): Promise<string[]> =>
  (await readdir(store.folder)).filter((name) => name.endsWith(".wasm")).map((name) => name.replace(".wasm", ""));

describe("what a reference stands for", () => {
  test("is found again, also by another replica, and its path leads to the component", async () => {
    expect(await store.find(reference("1"))).toBeUndefined();
    const one = await put("one");
    await store.point(reference("1"), record(one));
    const other = await ComponentStore.open(root);
    expect(await other.find(reference("1"))).toEqual(record(one));
    expect(await other.find(reference("2"))).toBeUndefined();
    expect(digestOf(await readFile(referencePath(root, reference("1"))))).toBe(one);
    const two = await put("two");
    await store.point(reference("1"), record(two));
    expect(digestOf(await readFile(referencePath(root, reference("1"))))).toBe(two);
  });

  test("can be put on the disk, also where a record is gone by then", async () => {
    const one = await put("one");
    await store.point(reference("1"), record(one));
    await store.point(reference("2"), record(one));
    const first = (await readdir(join(store.folder, "refs"))).find((name) => name.endsWith(".json")) ?? "";
    await rm(join(store.folder, "refs", first));
    await store.persist();
    const left = await Promise.all([store.find(reference("1")), store.find(reference("2"))]);
    expect(left.filter((found) => found !== undefined)).toEqual([record(one)]);
  });

  test("is linked to also where the link is there and its record is not", async () => {
    const [one, two] = [await put("one"), await put("two")];
    await store.point(reference("1"), record(one));
    const name = (await readdir(join(store.folder, "refs"))).find((file) => file.endsWith(".json")) ?? "";
    await rm(join(store.folder, "refs", name));
    await store.point(reference("1"), record(two));
    expect(await store.find(reference("1"))).toEqual(record(two));
    expect(digestOf(await readFile(referencePath(root, reference("1"))))).toBe(two);
  });

  test("by digest is never another manifest than that, whatever its record says", async () => {
    const one = await put("one");
    const pinned = { ...reference("1"), tag: undefined, digest: digestOf("m") };
    await store.point(pinned, record(one));
    expect(await store.find(pinned)).toEqual(record(one));
    await store.point(pinned, { ...record(one), manifest: digestOf("another") });
    expect(await store.find(pinned)).toBeUndefined();
  });

  test("is unknown if its component is gone or cut short, or its record is not one", async () => {
    const one = await put("one");
    await store.point(reference("1"), record(one));
    await writeFile(join(store.folder, `${one}.wasm`), "short");
    expect(await store.find(reference("1"))).toBeUndefined();
    await put("one");
    expect(await store.find(reference("1"))).toBeDefined();
    const name = (await readdir(join(store.folder, "refs"))).find((file) => file.endsWith(".json")) ?? "";
    await writeFile(join(store.folder, "refs", name), '{ "component": "../../etc/passwd" }');
    expect(await store.find(reference("1"))).toBeUndefined();
  });
});

describe("components", () => {
  let consumerFile: string;
  beforeEach(async () => {
    consumerFile = join(root, "consumer.yaml");
    await writeFile(consumerFile, "");
  });

  test("that a consumer file names are never removed; of the others the oldest go first, until the rest fits", async () => {
    const [named, old, newer] = [await put("named", 400), await put("old", 30), await put("newer", 2)];
    await store.point(reference("1"), record(named));
    await store.name(consumerFile, [reference("1")]);
    await store.prune(3 * SIZE);
    expect(await components()).toHaveLength(3);
    await store.prune(2 * SIZE);
    expect((await components()).toSorted()).toEqual([named, newer].toSorted());
    expect(old).not.toBe(newer);
    await store.prune(1);
    expect(await components()).toEqual([named]);
  });

  test("that were fetched a moment ago are not removed: a replica may be about to name them", async () => {
    await put("fresh", 0);
    await store.prune(1);
    expect(await components()).toHaveLength(1);
  });

  test("of a consumer file that is gone are kept for a while", async () => {
    const one = await put("one", 400);
    await store.point(reference("1"), record(one));
    await store.name(consumerFile, [reference("1")]);
    await rm(consumerFile);
    await store.prune(1);
    expect(await components()).toEqual([one]);
    const list = join(store.folder, "named", `${digestOf(consumerFile)}.json`);
    const then = new Date(Date.now() - FIXED_LIMITS.componentKeepMs - DAY_MS);
    await utimes(list, then, then);
    await store.prune(1);
    expect(await components()).toEqual([]);
  });
});
