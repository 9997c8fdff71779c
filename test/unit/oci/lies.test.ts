/**
 * Registries that are slow, refuse, or lie, written for this: each lie is one that a real one does not tell.
 */

import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { Digest } from "../../../src/contract/names.ts";
import { OciClient } from "../../../src/oci/client.ts";
import { pullComponent, resolveComponent } from "../../../src/oci/component-pull.ts";
import type { OciReference } from "../../../src/oci/reference.ts";
import { type LocalServer, startHttpServer } from "../../harness/local-server.ts";

const LAYER = Buffer.from("the component's bytes");
const MIB = 1024 ** 2;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

function manifestOf(digest: string = digestOf(LAYER), size = LAYER.length, mediaType = "application/wasm"): Buffer {
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: `sha256:${digestOf("{}")}`, size: 2 };
  const layers = [{ mediaType, digest: `sha256:${digest}`, size }];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
}

describe("a registry that", () => {
  let folder: string;
  let server: LocalServer;
  let answer: Answer;
  let client: OciClient;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lies-"));
    server = await startHttpServer((request, response) => answer(request, response));
    client = new OciClient({
      userAgent: "test",
      plainHttpHosts: [server.authority],
      credentials: () => Promise.resolve({ kind: "password", user: "reader", password: "top-secret" }),
    });
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const reference = (): OciReference => ({
    host: server.authority,
    repository: "plugins/echo",
    tag: "1",
    digest: undefined,
  });

  const pull = async (size = LAYER.length, digest: Digest = digestOf(LAYER)) =>
    await pullComponent(client, reference(), { digest, size }, { folder, maxBytes: 200 * MIB, synced: "before-named" });

  /** Nothing stands under the digest's name, and nothing unfinished is left. */
  const expectNothing = async () => expect(await readdir(folder)).toEqual([]);

  test("sends another content under a digest is refused, and nothing of it is kept", async () => {
    answer = (_, response) => response.end(Buffer.from("another component!!!!"));
    await expect(pull()).rejects.toMatchObject({ code: "registry-content-wrong", message: /something else/ });
    await expectNothing();
  });

  test("sends another manifest under a digest is refused", async () => {
    answer = (_, response) => response.end(manifestOf());
    const wanted = { ...reference(), digest: digestOf("a manifest") };
    await expect(client.fetchManifest(wanted)).rejects.toMatchObject({ code: "registry-content-wrong" });
  });

  test.each([
    ["announces another size", (response: ServerResponse) => response.setHeader("content-length", 5).end("12345")],
    ["sends more than the size", (response: ServerResponse) => response.write(Buffer.alloc(64 * 1024))],
    ["sends less than the size", (response: ServerResponse) => response.end(LAYER.subarray(1))],
  ])("%s is refused at once, and nothing of it is kept", async (_, lie) => {
    answer = (_request, response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" }).flushHeaders();
      lie(response);
    };
    if (_ === "announces another size") answer = (_request, response) => void lie(response);
    await expect(pull()).rejects.toMatchObject({ code: "registry-content-wrong" });
    await expectNothing();
  });

  test("hangs up in the middle of a component leaves nothing", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": LAYER.length });
      response.write(LAYER.subarray(0, 5), () => response.destroy());
    };
    await expect(pull()).rejects.toMatchObject({ code: "registry-unreachable" });
    await expectNothing();
  });

  test("sends a manifest without an end is refused at the bound", async () => {
    let isClosed = false;
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, " ")));
      };
      response.on("drain", more).on("close", () => (isClosed = true));
      more();
    };
    await expect(client.fetchManifest(reference())).rejects.toMatchObject({
      code: "registry-content-wrong",
      message: expect.stringContaining(String(FIXED_LIMITS.registryDocumentBytes)),
    });
    await expect.poll(() => isClosed).toBe(true);
  });

  test("never ends a list is refused", async () => {
    let page = 0;
    answer = (_, response) => {
      page += 1;
      response.setHeader("link", `</v2/plugins/echo/tags/list?last=${page}>; rel="next"`);
      response.end(JSON.stringify({ tags: Array.from({ length: 1_000 }, (_entry, index) => `t${index}`) }));
    };
    await expect(client.listTags(reference())).rejects.toMatchObject({ code: "registry-content-wrong" });
    expect(page).toBeLessThanOrEqual(FIXED_LIMITS.registryListEntries / 1_000 + 1);
  });

  test.each([
    ["401", 401, {}, "registry-denied"],
    ["403", 403, {}, "registry-denied"],
    ["404", 404, {}, "registry-not-found"],
    ["429", 429, { "retry-after": "7" }, "registry-throttled"],
    ["500", 500, {}, "registry-unreachable"],
    ["503", 503, {}, "registry-unreachable"],
    ["418", 418, {}, "registry-refused"],
  ])("answers %s is reported as that, with its words in one line", async (_, status, fields, code) => {
    answer = (_request, response) => {
      response.writeHead(status, { ...fields });
      response.end(JSON.stringify({ errors: [{ code: "SOMETHING", message: "first\nsecond" }] }));
    };
    await expect(client.fetchManifest(reference())).rejects.toMatchObject({
      code,
      message: expect.stringContaining("SOMETHING: first second"),
      ...(status === 429 && { retryAfterMs: 7_000 }),
    });
  });

  test("answers with an error without an end is reported as that", async () => {
    answer = (_, response) => {
      response.writeHead(404);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on("drain", more);
      more();
    };
    await expect(client.fetchManifest(reference())).rejects.toMatchObject({ code: "registry-not-found" });
  });

  test("redirects to another host is followed there without what authorizes the request", async () => {
    const seen: (string | undefined)[] = [];
    await using other = await startHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end(LAYER);
    });
    await using both = new OciClient({
      userAgent: "test",
      plainHttpHosts: [server.authority, other.authority],
      credentials: () => Promise.resolve({ kind: "password", user: "reader", password: "top-secret" }),
    });
    const own: (string | undefined)[] = [];
    answer = (request, response) => {
      own.push(request.headers.authorization);
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `http://${other.authority}/elsewhere` }).end();
    };
    const layer = { digest: digestOf(LAYER), size: LAYER.length };
    await pullComponent(both, reference(), layer, { folder, maxBytes: MIB, synced: "before-named" });
    expect(own).toEqual([undefined, `Basic ${Buffer.from("reader:top-secret").toString("base64")}`]);
    expect(seen).toEqual([undefined]);
  });

  test("redirects to a host that asks for a password, is not believed", async () => {
    let asked = 0;
    await using other = await startHttpServer((request, response) => {
      asked += 1;
      expect(request.headers.authorization).toBeUndefined();
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    });
    await using both = new OciClient({
      userAgent: "test",
      plainHttpHosts: [server.authority, other.authority],
      credentials: () => Promise.resolve({ kind: "password", user: "reader", password: "top-secret" }),
    });
    answer = (_, response) => response.writeHead(302, { location: `http://${other.authority}/elsewhere` }).end();
    await expect(both.fetchManifest(reference())).rejects.toMatchObject({ code: "registry-denied" });
    expect(asked).toBe(1);
  });

  test.each([
    ["to plain HTTP with a host that is not named", "http://registry.example.com/x", /not https/],
    ["to another scheme", "file:///etc/passwd", /not https/],
    ["nowhere", undefined, /without saying where/],
  ])("redirects %s is not followed", async (_, location, message) => {
    answer = (_request, response) => response.writeHead(302, location === undefined ? {} : { location }).end();
    await expect(client.fetchManifest(reference())).rejects.toMatchObject({ message });
  });

  test("redirects in a circle is given up", async () => {
    let asked = 0;
    answer = (_, response) => {
      asked += 1;
      response.writeHead(302, { location: "/v2/again" }).end();
    };
    await expect(client.fetchManifest(reference())).rejects.toMatchObject({ code: "registry-redirect-refused" });
    expect(asked).toBe(FIXED_LIMITS.registryRedirects + 1);
  });

  test("names a token server at a scheme that is not allowed gets no credentials", async () => {
    answer = (_, response) =>
      response.writeHead(401, { "www-authenticate": 'Bearer realm="http://tokens.example.com/t"' }).end();
    await expect(client.fetchManifest(reference())).rejects.toMatchObject({ code: "registry-redirect-refused" });
  });

  test("gives a token in an answer that cannot be read has nothing of it in an error", async () => {
    answer = ({ url = "" }, response) => {
      const realm = `http://${server.authority}/token`;
      if (url.startsWith("/token")) response.end("secret-token");
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end();
    };
    const error = await client.fetchManifest(reference()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "registry-content-wrong", message: expect.stringContaining("gave no token") });
    expect(inspect(error, { depth: 10 })).not.toContain("secret");
  });

  test.each([
    ["is an index of several", Buffer.from('{"schemaVersion":2,"manifests":[]}'), "artifact-unusable"],
    ["is no JSON", Buffer.from("<html>"), "registry-content-wrong"],
    ["has a layer of another kind", manifestOf(undefined, undefined, "application/x-tar"), "artifact-unusable"],
    ["has a digest that leads out of the folder", manifestOf("../../etc/passwd"), "registry-content-wrong"],
    ["has a negative size", manifestOf(undefined, -1), "registry-content-wrong"],
    [
      "has no layer",
      Buffer.from(
        manifestOf()
          .toString()
          .replace(/"layers":\[.*\]/, '"layers":[]'),
      ),
      "artifact-unusable",
    ],
  ])("has a manifest that %s is refused", async (_, manifest, code) => {
    answer = (_request, response) => response.end(manifest);
    await expect(resolveComponent(client, reference())).rejects.toMatchObject({ code });
  });

  test("has a component beyond the limit is not asked for it", async () => {
    answer = () => expect.unreachable();
    await expect(pull(201 * MIB)).rejects.toMatchObject({ code: "component-rejected" });
  });

  test("sends 100 MB is read in pieces: memory stays as it is", async () => {
    const piece = Buffer.alloc(MIB, 7);
    const pieces = 100;
    const hash = createHash("sha256");
    for (let index = 0; index < pieces; index += 1) hash.update(piece);
    const whole = hash.digest("hex") as Digest;
    // What is held, not what is garbage: collected before each look. V8 frees buffers beside its collection, and the next one
    // waits for that.
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = (): number => {
      collect();
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const looks: number[] = [];
    answer = (_, response) => {
      let sent = 0;
      response.setHeader("content-length", pieces * MIB);
      const more = (): void => {
        while (sent < pieces) {
          sent += 1;
          if (sent % 10 === 0) looks.push(held());
          if (!response.write(piece)) return;
        }
        response.end();
      };
      response.on("drain", more);
      more();
    };
    const before = held();
    await pull(pieces * MIB, whole);
    expect(await readdir(folder)).toEqual([`${whole}.wasm`]);
    expect(Math.max(...looks) - before).toBeLessThan(16 * MIB);
    expect(looks).toHaveLength(10);
  });
});
