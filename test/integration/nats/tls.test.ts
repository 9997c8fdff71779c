/** TLS to a real server: who trusts whom, by which name, and when. */

import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificate, createCertificate } from "../../harness/certificate.ts";
import { startConfiguredNatsServer } from "../../harness/server.ts";
import { run } from "../../unit/cli/run.ts";
import { openLink } from "./open-link.ts";

const server = createCertificate(["127.0.0.1"]);
const client = createCertificate(["client.example"]);
const FILES = { "server.pem": server.cert, "server.key": server.key, "client.pem": client.cert };
const MUTUAL = `cert_file: "server.pem", key_file: "server.key", ca_file: "client.pem", verify: true`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tls-"));
  await writeFile(join(folder, "ca.pem"), server.cert);
  await writeClient(client);
});

afterAll(() => rm(folder, { recursive: true }));

async function writeClient({ cert, key }: Certificate): Promise<void> {
  await writeFile(join(folder, "client.pem"), cert);
  await writeFile(join(folder, "client.key"), key);
}

function path(name: string): string {
  return join(folder, name);
}

const NONE = { kind: "none" } as const;

function mutual(handshake: "after-info" | "first" = "after-info") {
  return { handshake, caFile: path("ca.pem"), client: { certFile: path("client.pem"), keyFile: path("client.key") } };
}

/** What `call` says of a server, with these variables; nobody serves the plugin. */
async function call(url: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { stderr } = await run(["call", "absent", "--timeout", "5s"], { env: { NATS_URL: url, ...env } });
  return stderr;
}

describe("a server that is dialled by its address, with a certificate for that address", () => {
  test("takes a client that shows its certificate, from the replica's options and from the command line's variables", async () => {
    await using nats = await startConfiguredNatsServer(`tls { ${MUTUAL} }`, { files: FILES });
    await using link = await openLink(nats.url, NONE, mutual());
    await link.connection.flush();
    const url = nats.url.replace("nats://", "tls://");
    const variables = { NATS_CA: path("ca.pem"), NATS_CERT: path("client.pem"), NATS_KEY: path("client.key") };
    expect(await call(url, variables)).toContain("no-responders");
    expect(await call(url, { NATS_CA: path("ca.pem") })).toContain("nats-unavailable");
    expect(await call(url, {})).toContain("nats-unavailable");
  });

  test("is refused where the certificate is for another address", async () => {
    const other = createCertificate(["127.0.0.2", "localhost"]);
    await using nats = await startConfiguredNatsServer(`tls { cert_file: "other.pem", key_file: "other.key" }`, {
      files: { "other.pem": other.cert, "other.key": other.key },
    });
    await writeFile(path("other-ca.pem"), other.cert);
    expect(await call(nats.url, { NATS_CA: path("other-ca.pem") })).toMatch(/127\.0\.0\.1 is not in the cert's list/);
    const byName = nats.url.replace("127.0.0.1", "localhost");
    expect(await call(byName, { NATS_CA: path("other-ca.pem") })).toContain("no-responders");
  });
});

test("TLS comes before the server's first word where that is asked for", async () => {
  const configuration = `tls { ${MUTUAL}, handshake_first: true }`;
  await using nats = await startConfiguredNatsServer(configuration, { files: FILES, speaksFirst: "client" });
  await using link = await openLink(nats.url, NONE, mutual("first"));
  await link.connection.flush();
  const variables = { NATS_CA: path("ca.pem"), NATS_CERT: path("client.pem"), NATS_KEY: path("client.key") };
  expect(await call(nats.url, { ...variables, NATS_TLS: "first" })).toContain("no-responders");
});

test("a renewed certificate is shown at the next connect, and files that are away or half written end nothing", async () => {
  await using nats = await startConfiguredNatsServer(`tls { ${MUTUAL} }`, { files: FILES });
  await using link = await openLink(nats.url, NONE, mutual());
  const reconnected = (times: number) =>
    expect.poll(() => link.heard.filter(([name]) => name === "reconnected").length, { timeout: 60_000 }).toBe(times);
  await rename(path("client.key"), path("away"));
  await writeFile(path("client.pem"), client.cert.slice(0, 200));
  await writeFile(path("ca.pem"), "");
  await nats.kill();
  await nats.restart();
  await reconnected(1);
  expect(link.warnings).toHaveLength(1);

  const renewed = createCertificate(["client.example"]);
  await writeFile(path("ca.pem"), server.cert);
  await writeClient(renewed);
  await nats.replace("client.pem", renewed.cert);
  await nats.kill();
  await nats.restart();
  await reconnected(2);
  expect(link.heard.filter(([name]) => name === "closed")).toEqual([]);
});

test("a server without TLS is refused where TLS is asked for", async () => {
  await using nats = await startConfiguredNatsServer("");
  expect(await call(nats.url.replace("nats://", "tls://"), {})).toContain("server does not support 'tls'");
  expect(await call(nats.url, { NATS_CA: path("ca.pem") })).toContain("server does not support 'tls'");
});
