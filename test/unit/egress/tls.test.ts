import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { describe, expect, test } from "vitest";
import { type Certificate, createCertificate } from "../../harness/certificate.ts";
import { found, Sender } from "./exchanges.ts";
import { RawServer } from "./raw-server.ts";

const HOSTS = ["https://*:*", "https://127.0.0.1:*"];

/** A server that replies with the server name that it was asked for, and its port. */
async function listen(certificate: Certificate): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = createServer({ ...certificate, ALPNProtocols: ["http/1.1"] }, (socket) => {
    const name = String(socket.servername);
    socket
      .on("error", () => undefined)
      .once("data", () => {
        socket.end(
          `HTTP/1.1 200 OK\r\ncontent-length: ${name.length}\r\nx-alpn: ${String(socket.alpnProtocol)}\r\n\r\n${name}`,
        );
      });
  });
  server.on("tlsClientError", () => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

const failed = (code: string): unknown => ({ kind: "fail", failure: expect.objectContaining({ code }) as unknown });

describe("a request by TLS", () => {
  test("asks for the name that it is for, and for none where it is for an address", async () => {
    const certificate = createCertificate(["a.example", "127.0.0.1"]);
    await using server = await listen(certificate);
    await using sender = new Sender(HOSTS, { resolve: () => found(["127.0.0.1"]), ca: certificate.cert });
    for (const [host, name] of [
      ["a.example", "a.example"],
      ["a.example.", "a.example"],
      ["127.0.0.1", "false"],
    ]) {
      const receiver = sender.open(`https://${host}:${server.port}/`);
      expect([host, (await receiver.ended).kind, receiver.body.toString()]).toEqual([host, "end", name]);
      expect((await receiver.responded).fields).toContainEqual(["x-alpn", Buffer.from("http/1.1")]);
    }
    expect(sender.connected).toEqual([1, 2].map(() => `https://a.example:${server.port} at 127.0.0.1`));
  });

  test("is not sent to who has a certificate of another name, or of nobody known", async () => {
    const certificate = createCertificate(["a.example"]);
    await using server = await listen(certificate);
    await using known = new Sender(HOSTS, { resolve: () => found(["127.0.0.1"]), ca: certificate.cert });
    for (const host of ["b.example", "127.0.0.1"])
      expect(await known.open(`https://${host}:${server.port}/`).ended).toEqual(failed("TLS-certificate-error"));
    await using unknown = new Sender(HOSTS, { resolve: () => found(["127.0.0.1"]) });
    expect(await unknown.open(`https://a.example:${server.port}/`).ended).toEqual(failed("TLS-certificate-error"));
  });

  test("to a server that speaks none, or hangs up, is an error of its own", async () => {
    await using sender = new Sender(HOSTS);
    await using plain = await RawServer.listen((_, socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await sender.open(`https://127.0.0.1:${plain.port}/`).ended).toEqual(failed("TLS-protocol-error"));
    await using mute = await RawServer.listen((_, socket) => socket.destroy());
    expect(await sender.open(`https://127.0.0.1:${mute.port}/`).ended).toEqual(failed("connection-terminated"));
    await using silent = await RawServer.listen(() => undefined);
    const { ended } = sender.open(`https://127.0.0.1:${silent.port}/`, { connectMs: 100 });
    expect(await ended).toEqual(failed("connection-timeout"));
  });
});
