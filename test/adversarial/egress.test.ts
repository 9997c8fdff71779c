import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { HTTP_ERROR_CODES, type HttpErrorCode } from "../../src/contract/http.ts";
import { type LocalServer, startHttpServer, startTcpServer } from "../harness/local-server.ts";
import { projectFile } from "../harness/plugins.ts";
import { took } from "../harness/clocks.ts";
import type { Reply } from "../harness/request.ts";
import { openScene, type Scene } from "./scene.ts";

/** Loopback, link-local, metadata, private and NAT64 addresses in every spelling; `*` is the listener's port. */
const FORBIDDEN = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "0x7f.1",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "0x7f000001",
  "2130706433",
  "017700000001",
  "127.0.0.1.",
  "127.255.255.254",
  "0",
  "0.0.0.0",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::ffff:0:127.0.0.1]",
  "[::127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b:1::127.0.0.1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "169.254.169.254",
  "0xa9fea9fe",
  "2852039166",
  "[::ffff:169.254.169.254]",
  "[fd00:ec2::254]",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.0.1",
  "[fe80::1]",
  "[fc00::1]",
  "224.0.0.1",
  "255.255.255.255",
];

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] as const;

/** What the fetcher is told to ask for. */
interface Asked {
  readonly method?: (typeof METHODS)[number];
  readonly authority: string;
  readonly path?: string;
  readonly field?: readonly [name: string, value: string];
  /** Length of the request's body. */
  readonly bytes?: number;
}

type Role = "open" | "local" | "hasty";

let scene: Scene<Role>;
let listener: LocalServer;

beforeAll(async () => {
  listener = await startHttpServer((_, response) => response.end("reached"));
  const component = projectFile("test/components/fetcher.wasm");
  const limits = { httpResponseBytes: 100_000, httpConcurrency: 8, deadlineMs: 60_000 };
  const times = { httpFirstByteMs: 500, httpTotalMs: 1_500 };
  scene = await openScene({
    actors: {
      open: { component, policy: { allow: ["outbound-http"], hosts: ["*://*:*", "http://0.0.0.0/0:*"], limits } },
      local: { component, policy: { allow: ["outbound-http"], hosts: ["http://127.0.0.1:*"], limits } },
      hasty: { component, policy: { allow: ["outbound-http"], hosts: ["http://127.0.0.1:*"], limits: times } },
    },
  });
});

afterEach(async () => await scene.unharmed());

afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await listener?.[Symbol.asyncDispose]();
});

function ask(role: Role, asked: Asked): Promise<Reply> {
  const { method = "GET", authority, path = "/", field = ["", ""], bytes } = asked;
  const parts = [METHODS.indexOf(method), authority, path, ...field, bytes ?? "", ""];
  return scene.call(role, "http-full", parts.join("\n"));
}

function error(code: HttpErrorCode): string {
  return `error-code ${String(HTTP_ERROR_CODES.indexOf(code)).padStart(2, "0")}`;
}

describe("case 19: an address that is not of the internet", () => {
  test("is refused in every spelling where the policy allows everything, and nothing is dialled", async () => {
    for (const host of FORBIDDEN) {
      const reply = await ask("open", { authority: `${host}:${listener.port}` });
      expect([host, reply.error, reply.text]).toEqual([host, "plugin-error", error("destination-IP-prohibited")]);
    }
    expect(listener.connections).toBe(0);
  });

  test("is refused in every spelling of another one where the policy names one", async () => {
    for (const host of FORBIDDEN.filter((name) => name.includes("[") || name.startsWith("localhost"))) {
      const reply = await ask("local", { authority: `${host}:${listener.port}` });
      expect([host, reply.text]).toEqual([host, error("HTTP-request-denied")]);
    }
    expect(listener.connections).toBe(0);
  });

  test.each([
    "127.0.0.1@evil.example",
    "evil.example@127.0.0.1",
    "127.0.0.1%00.evil.example",
    "[::1%25lo]",
    "127.0.0.1/x",
  ])("is not smuggled in as %s", async (authority) => {
    const reply = await ask("open", { authority });
    expect(["HTTP refused the request", error("HTTP-request-URI-invalid")]).toContain(reply.text);
    expect(listener.connections).toBe(0);
  });
});

describe("case 21: a redirect", () => {
  test("to metadata is seen by the guest, and not followed", async () => {
    await using server = await startHttpServer((_, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end("moved"),
    );
    const reply = await ask("local", { authority: server.authority });
    expect([reply.status, reply.text, server.connections]).toEqual([302, "moved", 1]);
  });
});

describe("case 22: what belongs to the connection", () => {
  test.each([
    ["x-a", "b\rhost: evil.example"],
    ["x-a", "b\0c"],
    ["x a", "b"],
    ["x-a:", "b"],
    ["", "b"],
    ["Host", "evil.example"],
    ["TE", "trailers"],
    ["Transfer-Encoding", "chunked"],
    ["Connection", "upgrade"],
    ["Keep-Alive", "timeout=9"],
    ["Upgrade", "h2c"],
    ["Expect", "100-continue"],
    ["Proxy-Authorization", "Basic eA=="],
    ["Proxy-Connection", "keep-alive"],
  ])("is absent on the wire: %j: %j", async (name, value) => {
    let wire = "";
    await using server = await startTcpServer((socket) =>
      socket.on("data", (chunk: Buffer) => {
        wire += chunk.toString("latin1");
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      }),
    );
    const reply = await ask("local", { authority: server.authority, field: [name, value] });
    // A field without a name is never appended by the plugin.
    if (name !== "") expect([reply.error, reply.text, wire]).toEqual(["plugin-error", "HTTP refused the field", ""]);
    else expect(wire).toBe(`GET / HTTP/1.1\r\nhost: ${server.authority}\r\nconnection: keep-alive\r\n\r\n`);
  });

  test.each(["1", "3", "+2", "0x2", "2, 2"])(
    "is made of the body that is sent: content-length %s for 2 bytes",
    async (length) => {
      await using server = await startTcpServer((socket) => socket.resume());
      const reply = await ask("local", {
        authority: server.authority,
        method: "POST",
        field: ["Content-Length", length],
        bytes: 2,
      });
      expect(reply.error).toBe("plugin-error");
      expect([error("HTTP-request-body-size"), error("HTTP-protocol-error")]).toContain(reply.text);
    },
  );
});

describe("case 23: a target that is not a path of the host", () => {
  test.each(["//evil.example/", "http://evil.example/", "evil.example:443", "*", "/a#b", "/\rx: y"])(
    "is refused: %j",
    async (path) => {
      const before = listener.connections;
      const reply = await ask("local", { authority: listener.authority, path });
      expect(["HTTP refused the request", error("HTTP-request-URI-invalid")]).toContain(reply.text);
      expect(listener.connections).toBe(before);
    },
  );

  test.each(["CONNECT", "TRACE"] as const)("is refused: %s", async (method) => {
    const before = listener.connections;
    const reply = await ask("local", { authority: listener.authority, method });
    expect(reply.text).toBe(error("HTTP-request-method-invalid"));
    expect(listener.connections).toBe(before);
  });
});

describe("case 24: a response that is meant to exhaust", () => {
  test("without end is cut at the limit, with bounded memory", async () => {
    let sentBytes = 0;
    await using server = await startHttpServer((_, response) => {
      const block = Buffer.alloc(64 * 1024);
      const pour = (): void => {
        do sentBytes += block.length;
        while (response.write(block));
      };
      response.on("drain", pour);
      pour();
    });
    const reply = await ask("local", { authority: server.authority });
    expect(reply.text).toBe(error("HTTP-response-body-size"));
    await expect.poll(() => server.open).toBe(0);
    // What the sockets' buffers took besides.
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });

  test("that trickles is cut by the time of the whole", async () => {
    await using server = await startHttpServer((_, response) => {
      const drip = setInterval(() => response.write("."), 100);
      response.on("close", () => clearInterval(drip));
    });
    const takenMs = await took(async () => {
      expect((await ask("hasty", { authority: server.authority })).text).toBe(error("HTTP-response-timeout"));
    });
    // The request's own deadline would have cut it, too, but much later.
    expect(takenMs).toBeLessThan(10_000);
  });

  test("whose header trickles is cut by the time to its end", async () => {
    await using server = await startTcpServer((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n"));
      const drip = setInterval(() => socket.write("x: y\r\n"), 50);
      socket.on("close", () => clearInterval(drip));
    });
    expect((await ask("hasty", { authority: server.authority })).text).toBe(error("HTTP-response-timeout"));
  });

  test("whose header has no end is cut at the limit", async () => {
    await using server = await startTcpServer((socket) =>
      socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1_000_000)}`)),
    );
    expect((await ask("local", { authority: server.authority })).text).toBe(error("HTTP-response-header-section-size"));
  });

  test("that would unpack to gigabytes is passed on as it is", async () => {
    const packed = gzipSync(Buffer.alloc(50_000_000));
    await using server = await startHttpServer((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(packed),
    );
    const before = await scene.hostMemoryBytes();
    const reply = await ask("local", { authority: server.authority });
    expect([reply.status, Buffer.from(reply.data).equals(packed)]).toEqual([200, packed.length <= 65_536]);
    expect((await scene.hostMemoryBytes()) - before).toBeLessThan(40_000_000);
  });
});

describe("a flood of requests", () => {
  test("that are opened and dropped holds no more connections than the limit", async () => {
    // Connections that are open, and the turn of the event loop that each was accepted in.
    const open = new Map<Socket, number>();
    let [turns, most] = [0, 0];
    await using server = await startTcpServer((socket) => {
      open.set(socket, turns);
      for (const event of ["end", "close"]) socket.once(event, () => open.delete(socket));
      socket.resume();
    });
    let state: "asking" | "answered" = "asking";
    // Those that came and went while this process stalled are accepted together: in the turn after, it is told which
    // of them are gone. What is left then was open at the same time.
    const watch = async (): Promise<void> => {
      for (; state === "asking"; turns += 1) {
        await turn();
        most = Math.max(most, [...open.values()].filter((accepted) => accepted < turns).length);
      }
    };
    const watched = watch();
    try {
      const replies = await Promise.all(
        Array.from({ length: 5 }, () => scene.call("local", "http-drop", `${server.authority}\n500`)),
      );
      for (const reply of replies) expect(reply.error).toBeUndefined();
    } finally {
      state = "answered";
      await watched;
    }
    expect(most).toBeLessThanOrEqual(8);
    await expect.poll(() => server.open).toBe(0);
  });
});
