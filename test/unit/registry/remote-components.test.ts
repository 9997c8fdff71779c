/** Registries on loopback that answer at once, except for the blobs that a test makes slow. */

import { mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { OciClient } from "../../../src/oci/client.ts";
import { MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import type { OciReference } from "../../../src/oci/reference.ts";
import { ComponentStore, referencePath } from "../../../src/registry/component-store.ts";
import { RemoteComponents } from "../../../src/registry/remote-components.ts";
import { type LocalServer, startHttpServer } from "../../harness/local-server.ts";

const MAX_BYTES = 1_000_000;
/** In place of the time that a start waits. The answers that are not slow take a small part of it. */
const SHORT_MS = 1_000;
/** As many repositories as there are transfers at a time. */
const STUCK = ["a", "b", "c", "d"];

let root: string;
let server: LocalServer;
/** What each repository's tag stands for. */
let tagged: Map<string, string>;
/** Blobs that begin and do not end, and the answers that wait. */
let slow: Set<string>;
let waiting: Map<string, ServerResponse>;
let events: string[];
/** What was asked for, in order. */
let asked: string[];
/** How often room was made in the store. */
let prunes: number;
let components: RemoteComponents;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "remote-components-"));
  [tagged, slow, waiting, events, asked, prunes] = [new Map(), new Set(), new Map(), [], [], 0];
  server = await startHttpServer(answer);
  components = open();
});
afterEach(async () => {
  await components[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

function open(startWaitMs?: number): RemoteComponents {
  return new RemoteComponents({
    client: new OciClient({
      userAgent: "test",
      plainHttpHosts: [server.authority],
      credentials: () => Promise.resolve(undefined),
    }),
    openStore: async () => {
      const store = await ComponentStore.open(root);
      const prune = store.prune.bind(store);
      return Object.assign(store, { prune: (maxBytes: number) => ((prunes += 1), prune(maxBytes)) });
    },
    checkMs: MAX_BYTES,
    maxBytes: MAX_BYTES,
    events: {
      resolved: (_, { component }, before) => void events.push(`${before?.component ?? "nothing"} → ${component}`),
      failed: (_, error) => void events.push(error.code),
      recovered: () => void events.push("recovered"),
      upkeepFailed: (error) => void events.push(error.message),
    },
    ...(startWaitMs !== undefined && { startWaitMs }),
  });
}

function manifestOf(content: string): Buffer {
  const config = { mediaType: MEDIA_TYPES.empty, digest: `sha256:${digestOf("{}")}`, size: 2 };
  const layers = [{ mediaType: MEDIA_TYPES.wasm, digest: `sha256:${digestOf(content)}`, size: content.length }];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
}

function answer({ url = "", method }: IncomingMessage, response: ServerResponse): void {
  const [, , repository = "", kind = ""] = url.split("/");
  asked.push(`${method ?? ""} ${kind}`);
  const content = tagged.get(repository) ?? "";
  if (url.includes("/manifests/")) {
    response.setHeader("docker-content-digest", `sha256:${digestOf(manifestOf(content))}`);
    response.end(method === "HEAD" ? undefined : manifestOf(content));
    return;
  }
  response.setHeader("content-length", content.length).flushHeaders();
  if (!slow.has(content)) {
    response.end(content);
    return;
  }
  response.write(content.slice(0, 1));
  waiting.set(content, response);
}

/** Lets a slow blob end. */
const finish = (content: string) => waiting.get(content)?.end(content.slice(1));

const reference = (repository = "echo"): OciReference => ({
  host: server.authority,
  repository,
  tag: "1",
  digest: undefined,
});

const obtain = (repository?: string) => components.obtain(reference(repository), MAX_BYTES);
const linked = async () => (await readFile(referencePath(root, reference()))).toString();
const begun = (content: string) => expect.poll(() => waiting.has(content)).toBe(true);

/** Settles when the sockets of a given-up exchange are gone. */
const allClosed = () => expect.poll(() => [...waiting.values()].every((response) => response.destroyed)).toBe(true);

describe("many components at once", () => {
  const NAMES = Array.from({ length: 30 }, (_, index) => `many-${index}`);
  const obtainAll = () => Promise.all(NAMES.map((name) => obtain(name)));
  const count = (what: string) => asked.filter((one) => one === what).length;

  beforeEach(() => {
    for (const name of NAMES) tagged.set(name, `component ${name}`);
  });

  test("cost two requests each on a few connections, and their store is looked after once", async () => {
    await obtainAll();
    expect([count("GET manifests"), count("GET blobs"), asked.length]).toEqual([30, 30, 60]);
    expect(server.connections).toBeLessThanOrEqual(FIXED_LIMITS.registryConnections);
    await components[Symbol.asyncDispose]();
    expect(prunes).toBe(1);
  });

  test("that are here cost one request each, without a body, and none until they are due again", async () => {
    await obtainAll();
    await components[Symbol.asyncDispose]();
    [components, asked] = [open(), []];
    await obtainAll();
    await obtainAll();
    expect(asked).toEqual(NAMES.map(() => "HEAD manifests"));
    await components[Symbol.asyncDispose]();
    expect(prunes).toBe(1);
  });
});

describe("a component that was fetched", () => {
  const path = () => join(root, "components", `${digestOf("first")}.wasm`);
  beforeEach(async () => {
    tagged.set("echo", "first");
    await obtain();
  });

  test("is verified until its file is written to, whatever its size and times are then", async () => {
    expect(await components.isVerified(digestOf("first"))).toBe(true);
    const { atime, mtime } = await stat(path());
    await writeFile(path(), "other");
    await utimes(path(), atime, mtime);
    expect(await components.isVerified(digestOf("first"))).toBe(false);
    await writeFile(path(), "first");
    expect(await components.isVerified(digestOf("first"))).toBe(false);
  });

  test("is verified until another file has its name", async () => {
    await writeFile(`${path()}.other`, "first");
    await rename(`${path()}.other`, path());
    expect(await components.isVerified(digestOf("first"))).toBe(false);
  });

  test("is not verified for whoever has not fetched it, nor when it is doubted", async () => {
    const other = open();
    expect(await other.obtain(reference(), MAX_BYTES)).toBe(digestOf("first"));
    expect(await other.isVerified(digestOf("first"))).toBe(false);
    await other[Symbol.asyncDispose]();
    components.doubt(digestOf("first"));
    expect(await components.isVerified(digestOf("first"))).toBe(false);
  });

  test("is fetched again when it was discarded, and is verified then", async () => {
    await components.discard(reference(), digestOf("first"));
    expect(await components.isVerified(digestOf("first"))).toBe(false);
    expect(await obtain()).toBe(digestOf("first"));
    expect(await components.isVerified(digestOf("first"))).toBe(true);
  });
});

describe("a component whose transfer does not end", () => {
  test("is given up at once when loads are, and later ones are not begun", async () => {
    tagged.set("echo", "first");
    slow.add("first");
    const obtaining = obtain();
    await begun("first");
    components.giveUp();
    await expect(obtaining).rejects.toMatchObject({ code: "registry-unreachable", message: /stopping/ });
    await allClosed();
    const { connections } = server;
    await expect(obtain()).rejects.toMatchObject({ code: "registry-unreachable" });
    await expect(components.signers(reference(), digestOf("first"), [])).rejects.toMatchObject({ message: /stopping/ });
    expect(server.connections).toBe(connections);
  });

  test("gives its place to the next: four of them keep no other plugin waiting", async () => {
    const stuck = STUCK.map((name) => {
      tagged.set(name, `stuck ${name}`);
      slow.add(`stuck ${name}`);
      return obtain(name);
    });
    await Promise.all(STUCK.map((name) => begun(`stuck ${name}`)));
    tagged.set("echo", "small");
    expect(await obtain()).toBe(digestOf("small"));
    components.giveUp();
    for (const { status } of await Promise.allSettled(stuck)) expect(status).toBe("rejected");
  });

  test("keeps nobody waiting who wants the same bytes from another repository", async () => {
    tagged.set("slow", "the same");
    slow.add("the same");
    const obtaining = obtain("slow");
    await begun("the same");
    slow.clear();
    tagged.set("echo", "the same");
    expect(await obtain()).toBe(digestOf("the same"));
    finish("the same");
    expect(await obtaining).toBe(digestOf("the same"));
  });
});

describe("where another component is here", () => {
  beforeEach(async () => {
    tagged.set("echo", "first");
    await obtain();
    await components[Symbol.asyncDispose]();
    components = open(SHORT_MS);
    tagged.set("echo", "second");
    events.length = 0;
  });

  test("a start waits for the next one a short time, and that changes the link when it is done", async () => {
    slow.add("second");
    expect(await obtain()).toBe(digestOf("first"));
    expect(await linked()).toBe("first");
    expect(events).toEqual([]);
    await begun("second");
    finish("second");
    await expect.poll(linked).toBe("second");
    expect(events).toEqual([`${digestOf("first")} → ${digestOf("second")}`]);
    expect(await obtain()).toBe(digestOf("second"));
  });

  test("a start does not wait for a transfer that began before it either", async () => {
    slow.add("second");
    expect(await obtain()).toBe(digestOf("first"));
    expect(await obtain()).toBe(digestOf("first"));
    finish("second");
    await expect.poll(() => obtain()).toBe(digestOf("second"));
  });

  test("a start gets the next one if that comes in time", async () => {
    await components[Symbol.asyncDispose]();
    components = open();
    expect(await obtain()).toBe(digestOf("second"));
    expect(await linked()).toBe("second");
  });

  test("a transfer that is given up leaves the link as it is, and is not reported", async () => {
    slow.add("second");
    expect(await obtain()).toBe(digestOf("first"));
    await begun("second");
    await components[Symbol.asyncDispose]();
    await allClosed();
    expect(await linked()).toBe("first");
    expect(events).toEqual([]);
  });
});
