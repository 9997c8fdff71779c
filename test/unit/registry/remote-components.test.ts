/** Registries on loopback that answer at once, except for the blobs that a test makes slow. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { OciClient } from "../../../src/oci/client.ts";
import { MEDIA_TYPES } from "../../../src/oci/manifest.ts";
import type { OciReference } from "../../../src/oci/reference.ts";
import { ComponentStore, referencePath } from "../../../src/registry/component-store.ts";
import { RemoteComponents } from "../../../src/registry/remote-components.ts";
import { type LocalServer, startHttpServer } from "../../harness/local-server.ts";

const MAX_BYTES = 1_000_000;
/** In place of the time that a start waits. The answers that are not slow take a small part of it. */
const SHORT_MS = 1_000;

let root: string;
let server: LocalServer;
/** What each repository's tag stands for. */
let tagged: Map<string, string>;
/** Blobs that begin and do not end, and the answers that wait. */
let slow: Set<string>;
let waiting: Map<string, ServerResponse>;
let events: string[];
let components: RemoteComponents;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "remote-components-"));
  [tagged, slow, waiting, events] = [new Map(), new Set(), new Map(), []];
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
    openStore: () => ComponentStore.open(root),
    checkMs: MAX_BYTES,
    maxBytes: MAX_BYTES,
    events: {
      resolved: (_, { component }, before) => void events.push(`${before?.component ?? "nothing"} → ${component}`),
      failed: (_, error) => void events.push(error.code),
      recovered: () => void events.push("recovered"),
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
  const content = tagged.get(url.split("/")[2] ?? "") ?? "";
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
    const stuck = ["a", "b", "c", "d"].map((name) => {
      tagged.set(name, `stuck ${name}`);
      slow.add(`stuck ${name}`);
      return obtain(name);
    });
    await Promise.all(["a", "b", "c", "d"].map((name) => begun(`stuck ${name}`)));
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
