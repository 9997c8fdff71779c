/** The bounds of exchanges, with values that a test can wait for: which ones a host has is in docs/limits.md. */

import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../../src/contract/names.ts";
import { OciClient } from "../../../src/oci/client.ts";
import type { RegistryBounds } from "../../../src/oci/dispatchers.ts";
import type { OciReference } from "../../../src/oci/reference.ts";
import { startHttpServer, startTcpServer } from "../../harness/local-server.ts";

const SHORT_MS = 300;

function clientOf(host: string, bounds: Partial<RegistryBounds>, plainHttpHosts = [host]): OciClient {
  return new OciClient({
    userAgent: "test",
    plainHttpHosts,
    bounds,
    credentials: () => Promise.resolve({ kind: "password", user: "u", password: "p" }),
  });
}

function reference(host: string, repository = "echo"): OciReference {
  return { host, repository, tag: "1", digest: undefined };
}

/** Sends a byte now and then, for as long as somebody listens. */
async function trickle(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write(" ");
    // Time that passes between two bytes: a trickle is what the test is about.
    await delay(SHORT_MS / 10);
  }
}

const TOKEN = '{"token":"t","expires_in":300}';

/** A registry without tags, whose token server answers as it is told. */
async function startTokenRegistry(answerToken: (scope: string, response: ServerResponse) => void) {
  let refused = 0;
  const server = await startHttpServer((request, response) => {
    const url = new URL(request.url ?? "", "http://registry.test");
    if (url.pathname === "/token") answerToken(url.searchParams.get("scope") ?? "", response);
    else if (request.headers.authorization === "Bearer t") response.end('{"tags":[]}');
    else {
      refused += 1;
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="s"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    }
  });
  return {
    authority: server.authority,
    /** Requests without a token, so far. */
    get refused() {
      return refused;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const UNREACHABLE = { code: "registry-unreachable" };

describe("a registry", () => {
  test("that does not finish the TLS handshake is given up", async () => {
    await using server = await startTcpServer(() => undefined);
    await using client = clientOf(server.authority, { registryConnectMs: SHORT_MS }, []);
    await expect(client.fetchManifest(reference(server.authority))).rejects.toMatchObject(UNREACHABLE);
    expect(server.connections).toBeGreaterThan(0);
  });

  test.each(["before", "in"])("that falls silent before or in its answer is given up: %s", async (when) => {
    await using server = await startHttpServer((_request, response) => {
      if (when === "in") response.write("{");
    });
    await using client = clientOf(server.authority, { registryAnswerMs: SHORT_MS });
    await expect(client.fetchManifest(reference(server.authority))).rejects.toMatchObject({
      ...UNREACHABLE,
      message: expect.stringContaining("fell silent"),
    });
  });

  test("that trickles a manifest is given up when the time is over", async () => {
    await using server = await startHttpServer((_request, response) => void trickle(response));
    await using client = clientOf(server.authority, { registryDocumentMs: SHORT_MS });
    await expect(client.fetchManifest(reference(server.authority))).rejects.toMatchObject({
      ...UNREACHABLE,
      message: expect.stringContaining("took too long"),
    });
  });

  test("that trickles a component is given up when the time is over", async () => {
    await using server = await startHttpServer((_request, response) => void trickle(response));
    await using client = clientOf(server.authority, { registryBlobMs: SHORT_MS });
    const blob = client.fetchBlob(reference(server.authority), { digest: "a".repeat(64) as Digest, size: 1_000_000 });
    await expect(Array.fromAsync(blob)).rejects.toMatchObject(UNREACHABLE);
  });

  test("is asked on a number of connections at a time, and the rest waits", async () => {
    const waiting: ServerResponse[] = [];
    await using server = await startHttpServer((_request, response) => void waiting.push(response));
    await using client = clientOf(server.authority, { registryConnections: 3 });
    const asked = Array.from({ length: 10 }, () => client.listTags(reference(server.authority)));
    for (let answered = 0; answered < 10; answered += 1) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0);
      expect(server.open).toBeLessThanOrEqual(3);
      waiting.shift()?.end('{"tags":["1"]}');
    }
    expect(await Promise.all(asked)).toHaveLength(10);
  });

  test("has one token fetched for all who wait, and whoever gives up ends it for nobody else", async () => {
    let token: ServerResponse | undefined;
    let fetched = 0;
    await using server = await startTokenRegistry((_scope, response) => {
      fetched += 1;
      token = response;
    });
    await using client = clientOf(server.authority, {});
    const impatient = new AbortController();
    const first = client.fetchManifestIfThere(reference(server.authority), impatient.signal);
    await expect.poll(() => fetched).toBe(1);
    const second = client.listTags(reference(server.authority));
    const unauthorized = () => server.refused;
    await expect.poll(unauthorized).toBe(2);
    impatient.abort();
    await expect(first).rejects.toMatchObject(UNREACHABLE);
    token?.end(TOKEN);
    expect(await second).toEqual([]);
    expect(fetched).toBe(1);
  });

  test("whose token server trickles is given up when the time is over, and is asked again later", async () => {
    let isSlow = true;
    await using server = await startTokenRegistry((_scope, response) => {
      if (isSlow) void trickle(response);
      else response.end(TOKEN);
    });
    await using client = clientOf(server.authority, { registryDocumentMs: SHORT_MS });
    await expect(client.listTags(reference(server.authority))).rejects.toMatchObject(UNREACHABLE);
    isSlow = false;
    await expect.poll(() => client.listTags(reference(server.authority)).catch(() => "failed")).toEqual([]);
  });

  test("has its oldest token fetched again when there are too many, and no other", async () => {
    const tokens: string[] = [];
    await using server = await startTokenRegistry((scope, response) => {
      tokens.push(scope);
      response.end(TOKEN);
    });
    await using client = clientOf(server.authority, { registryTokens: 3 });
    for (const name of ["a", "b", "c", "d", "d", "b", "a"]) await client.listTags(reference(server.authority, name));
    expect(tokens.map((scope) => scope.split(":")[1])).toEqual(["a", "b", "c", "d", "a"]);
  });
});
