import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CertificateFiles } from "../../../src/contract/wrpc-settings.ts";
import { ServerCertificate } from "../../../src/wrpc-server/server-certificate.ts";
import { type Certificate, createCertificate } from "../../harness/certificate.ts";
import { NAME } from "../consumer/scene.ts";
import { fakeTimers, RawCaller, requestBytes, resultIn, WrpcScene } from "./scene.ts";

const SERVER = createCertificate(["127.0.0.1"]);
const CALLER = createCertificate(["caller"]);
const STRANGER = createCertificate(["caller"]);

let folder: string;
let files: CertificateFiles;
let scene: WrpcScene;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wrpc-tls-"));
  files = {
    certFile: join(folder, "server.pem"),
    keyFile: join(folder, "server.key"),
    clientCaFile: join(folder, "callers.pem"),
  };
  await writeServer(SERVER);
  await writeFile(files.clientCaFile, CALLER.cert);
  fakeTimers();
  scene = new WrpcScene();
});
afterEach(async () => {
  scene.server.close();
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

async function writeServer({ cert, key }: Certificate): Promise<void> {
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key);
}

/** A caller with this certificate that trusts that of the server. */
function call(client: Certificate | undefined, server: Certificate = SERVER): RawCaller {
  const options = { host: "127.0.0.1", port: scene.portOf(), ca: server.cert, ...client, allowHalfOpen: true };
  const socket = connect(options);
  return new RawCaller(socket).send(requestBytes()).end();
}

async function answered(caller: RawCaller, calls = 1): Promise<string | undefined> {
  await scene.untilBegun(calls);
  for (const begun of scene.runner.open)
    scene.runner.end(begun, { kind: "ok", response: { status: 200, body: Buffer.alloc(100_000) } });
  return resultIn(await caller.closed)?.tag;
}

describe("a listener with certificates", () => {
  test("serves callers whose certificate is of a trusted authority", async () => {
    await scene.open(files);
    expect(await answered(call(CALLER))).toBe("ok");
    await scene.untilNothingIsLeft();
  });

  test.each([
    ["without a certificate", undefined],
    ["with another authority's certificate", STRANGER],
  ])("refuses and counts callers %s", async (_, certificate) => {
    await scene.open(files);
    const caller = call(certificate);
    expect((await caller.closed).length).toBe(0);
    await scene.untilEnded("tls-refused");
    expect(scene.runner.callsBegun).toBe(0);
    await scene.untilNothingIsLeft();
  });

  test("refuses and counts callers without TLS", async () => {
    await scene.open(files);
    const caller = (await RawCaller.to(scene.portOf())).send(requestBytes()).end();
    await caller.closed;
    await scene.untilEnded("tls-refused");
    await scene.untilNothingIsLeft();
  });

  test("closes a connection whose handshake does not end", async () => {
    await scene.open(files);
    const caller = await RawCaller.to(scene.portOf());
    // Its time is one of Node's own timers, which a test cannot set.
    await caller.closed;
    expect(scene.ended("tls-refused")).toBe(1);
    await scene.untilNothingIsLeft();
  });

  test("uses renewed files for new connections, and the last valid ones meanwhile", async () => {
    await scene.open(files);
    expect(await answered(call(CALLER))).toBe("ok");
    await writeFile(files.certFile, "half a");
    await vi.advanceTimersByTimeAsync(10_100);
    expect(await answered(call(CALLER), 2)).toBe("ok");
    const renewed = createCertificate(["127.0.0.1"]);
    await writeServer(renewed);
    await vi.advanceTimersByTimeAsync(10_100);
    expect(await answered(call(CALLER, renewed), 3)).toBe("ok");
  });

  test("is not opened with files that cannot be used", async () => {
    await scene.open(files);
    const settings = {
      plugins: new Map([[NAME, { host: "127.0.0.1", port: 0 }]]),
      tls: { ...files, certFile: files.clientCaFile },
    };
    const [error] = await scene.server.follow(settings);
    expect([error?.code, error?.message]).toEqual(["usage-invalid", expect.stringContaining("the key is not that of")]);
  });

  test("reads its files at most once in ten seconds, however many connections come", () => {
    const certificate = new ServerCertificate(files, () => undefined);
    const nowMs = performance.now();
    expect(certificate.renewed(nowMs + 9_000)).toBeUndefined();
    expect(certificate.renewed(nowMs + 11_000)).toBeUndefined();
    expect(certificate.content.cert).toBe(SERVER.cert);
  });
});
