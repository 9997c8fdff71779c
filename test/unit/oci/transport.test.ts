import { connect } from "node:net";
import { createServer as createTlsServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { OciClient, type OciClientOptions } from "../../../src/oci/client.ts";
import type { LookUp } from "../../../src/oci/dispatchers.ts";
import { createCertificate } from "../../harness/certificate.ts";
import { startHttpServer } from "../../harness/local-server.ts";

const TAGS = JSON.stringify({ tags: ["1"] });

/** Every name is at this address. */
function at(address: string): LookUp {
  return (_name, _options, callback) => callback(null, [{ address, family: 4 }]);
}

function createClient(options: Partial<OciClientOptions>): OciClient {
  return new OciClient({ userAgent: "test", credentials: () => Promise.resolve(undefined), ...options });
}

const listing = (client: OciClient, host: string) => client.listTags({ host, repository: "echo" });

/** A registry with TLS for `registry.test`. */
async function startTlsRegistry(answer: RequestListener = (_request, response) => response.end(TAGS)) {
  const certificate = createCertificate(["registry.test"]);
  const server = createTlsServer(certificate, answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: `registry.test:${port}`,
    port,
    ca: certificate.cert,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A proxy that tunnels to loopback, whatever name is asked for, and what it was asked for. */
async function startTunnel() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
    response.end(TAGS);
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
    const target = connect(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    for (const one of [target, socket]) one.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    url: `http://user:secret@127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("TLS", () => {
  test("trusts a private authority that is named, and the host has to be the certificate's", async () => {
    await using registry = await startTlsRegistry();
    await using client = createClient({ ca: registry.ca, lookUp: at("127.0.0.1") });
    expect(await listing(client, registry.host)).toEqual(["1"]);
    await expect(listing(client, `other.test:${registry.port}`)).rejects.toMatchObject({
      code: "registry-unreachable",
      message: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
    });
  });

  test("trusts no private authority that is not named, and says what names one", async () => {
    await using registry = await startTlsRegistry();
    await using client = createClient({ lookUp: at("127.0.0.1") });
    await expect(listing(client, registry.host)).rejects.toMatchObject({
      code: "registry-unreachable",
      message: expect.stringContaining("--registry-ca"),
    });
  });

  test("is spoken with every host that is not named for plain HTTP, loopback included", async () => {
    let asked = 0;
    await using plain = await startHttpServer((_request, response) => {
      asked += 1;
      response.end(TAGS);
    });
    await using client = createClient({});
    await expect(listing(client, plain.authority)).rejects.toMatchObject({
      message: expect.stringContaining("--registry-plain-http"),
    });
    expect(asked).toBe(0);
    await using named = createClient({ plainHttpHosts: [plain.authority] });
    expect(await listing(named, plain.authority)).toEqual(["1"]);
  });
});

describe("a registry with TLS", () => {
  /** Leads to a server of plain HTTP that the operator names for other purposes. */
  async function startLeading(how: "redirect" | "token realm" | "upload") {
    let asked = 0;
    const plain = await startHttpServer((_request, response) => {
      asked += 1;
      response.end(how === "token realm" ? '{"token":"t"}' : TAGS);
    });
    const registry = await startTlsRegistry((request, response) => {
      const to = `http://${plain.authority}/`;
      if (how === "redirect") response.writeHead(307, { location: to }).end();
      else if (how === "token realm")
        response.writeHead(401, { "www-authenticate": `Bearer realm="${to}",service="s"` }).end();
      else if (request.method === "HEAD") response.writeHead(404).end();
      else response.writeHead(202, { location: to }).end();
    });
    const client = createClient({ ca: registry.ca, lookUp: at("127.0.0.1"), plainHttpHosts: [plain.authority] });
    return {
      client,
      at: { host: registry.host, repository: "echo" },
      asked: () => asked,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]();
        await registry[Symbol.asyncDispose]();
        await plain[Symbol.asyncDispose]();
      },
    };
  }

  test.each(["redirect", "token realm", "upload"] as const)("never leads to plain HTTP: %s", async (how) => {
    await using leading = await startLeading(how);
    const content = { digest: digestOf("x"), size: 1, open: () => Buffer.from("x") };
    const { client, at: place } = leading;
    await expect(how === "upload" ? client.pushBlob(place, content) : client.listTags(place)).rejects.toMatchObject({
      code: "registry-redirect-refused",
      message: expect.stringContaining("from TLS it may lead to https alone"),
    });
    expect(leading.asked()).toBe(0);
  });
});

describe("a proxy", () => {
  test("of https is used for https, by a tunnel, with its credentials; the registry's TLS goes through it", async () => {
    await using registry = await startTlsRegistry();
    await using tunnel = await startTunnel();
    await using client = createClient({ ca: registry.ca, proxies: { https: tunnel.url } });
    expect(await listing(client, registry.host)).toEqual(["1"]);
    const credentials = `Basic ${Buffer.from("user:secret").toString("base64")}`;
    expect(tunnel.asked).toEqual([`CONNECT ${registry.host} ${credentials}`]);
  });

  test("of http is used for plain HTTP alone", async () => {
    await using registry = await startTlsRegistry();
    await using tunnel = await startTunnel();
    const options = { ca: registry.ca, lookUp: at("127.0.0.1"), plainHttpHosts: ["plain.test"] };
    await using client = createClient({ ...options, proxies: { http: tunnel.url } });
    expect(await listing(client, registry.host)).toEqual(["1"]);
    expect(tunnel.asked).toEqual([]);
    expect(await listing(client, "plain.test")).toEqual(["1"]);
    expect(tunnel.asked).toHaveLength(1);
  });

  test("is not used for hosts of NO_PROXY, nor for loopback", async () => {
    await using registry = await startTlsRegistry();
    await using tunnel = await startTunnel();
    await using plain = await startHttpServer((_request, response) => response.end(TAGS));
    const proxies = { http: tunnel.url, https: tunnel.url, none: ".test" };
    await using client = createClient({
      ca: registry.ca,
      lookUp: at("127.0.0.1"),
      plainHttpHosts: [plain.authority],
      proxies,
    });
    expect(await listing(client, registry.host)).toEqual(["1"]);
    expect(await listing(client, plain.authority)).toEqual(["1"]);
    expect(tunnel.asked).toEqual([]);
  });
});

describe("a registry of the internet that redirects", () => {
  /** It is reached by a proxy: no address of the internet can be served here. */
  async function redirectsTo(location: string, lookUp: LookUp): Promise<unknown> {
    await using proxy = await startHttpServer((_request, response) => response.writeHead(307, { location }).end());
    await using client = createClient({
      lookUp,
      plainHttpHosts: ["registry.example.com", new URL(location).host],
      proxies: { http: `http://${proxy.authority}`, none: "inner.test" },
    });
    return await listing(client, "registry.example.com").catch((error: unknown) => error);
  }

  test.each([
    "http://127.0.0.1:1/",
    "http://localhost:1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
  ])("to %s is not followed", async (location) => {
    expect(await redirectsTo(location, at("203.0.113.1"))).toMatchObject({ code: "registry-redirect-refused" });
  });

  test("to loopback is not followed, though its DNS server said for a while that it is there itself", async () => {
    let leads: string | undefined;
    await using inner = await startHttpServer((_request, response) => response.end(TAGS));
    await using registry = await startHttpServer((_request, response) => {
      response.setHeader("connection", "close");
      if (leads === undefined) response.end(TAGS);
      else response.writeHead(307, { location: leads }).end();
    });
    const host = `registry.test:${registry.port}`;
    // Node refuses what is of no family before it dials.
    const PUBLIC = { address: "192.0.1.1", family: 0 };
    const LOOPBACK = { address: "127.0.0.1", family: 4 };
    let address = LOOPBACK;
    await using client = createClient({
      plainHttpHosts: [host, inner.authority],
      lookUp: (_name, _options, callback) => callback(null, [address]),
    });
    expect(await listing(client, host)).toEqual(["1"]);
    leads = `http://${inner.authority}/`;
    expect(await listing(client, host)).toEqual(["1"]);
    address = PUBLIC;
    await expect(listing(client, host)).rejects.toMatchObject({
      code: "registry-unreachable",
      message: expect.stringContaining("ERR_INVALID_ADDRESS_FAMILY"),
    });
    address = LOOPBACK;
    const { connections } = inner;
    await expect(listing(client, host)).rejects.toMatchObject({ code: "registry-redirect-refused" });
    expect(inner.connections).toBe(connections);
  });

  test("to a name that is at a metadata address is not followed: nothing is dialled", async () => {
    expect(await redirectsTo("http://inner.test/", at("169.254.169.254"))).toMatchObject({
      code: "registry-redirect-refused",
      message: expect.stringContaining("inner.test"),
    });
  });
});
