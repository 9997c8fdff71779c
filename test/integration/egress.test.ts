import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { GO_TEST_PLUGINS } from "../../scripts/toolchains/catalogue.ts";
import { buildGoPlugin } from "../../scripts/toolchains/go.ts";
import { buildPythonPlugin } from "../../scripts/toolchains/python.ts";
import { buildStarlingPlugin } from "../../scripts/toolchains/starling.ts";
import { HTTP_ERROR_CODES, type HttpErrorCode } from "../../src/contract/http.ts";
import { type LocalServer, startHttpServer } from "../harness/local-server.ts";
import { consumerFile, policyFiles, projectFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type Reply, request } from "../harness/request.ts";

/** The largest components take a minute to build when they are not in the cache, and seconds to transpile. */
const BUILD_TIMEOUT_MS = 10 * 60_000;

const LANGUAGES = ["c", "rust", "go", "python", "javascript"] as const;

describe("outbound HTTP of real plugins", () => {
  const names = Object.fromEntries(LANGUAGES.map((language) => [language, uniqueName(language)]));
  const [limited, hasty, denied] = [uniqueName("limited"), uniqueName("hasty"), uniqueName("denied")];
  let nats: NatsConnection;
  let server: LocalServer;
  let replica: Replica;

  beforeAll(async () => {
    const javascript = await buildStarlingPlugin("fetch-js", "test/plugins/fetch-js/plugin.js");
    const python = await buildPythonPlugin("fetch-python", "test/plugins/fetch-python");
    const go = await buildGoPlugin(GO_TEST_PLUGINS.fetch);
    nats = await connect({ servers: inject("natsUrl") });
    server = await startHttpServer(answer);
    const fetcher = projectFile("test/components/fetcher.wasm");
    const rust = projectFile("test/components/fetch-rust.wasm");
    const components = { c: fetcher, rust, go, python, javascript };
    replica = await startReplica({
      consumer: consumerFile({
        group: "egress",
        plugins: {
          ...Object.fromEntries(LANGUAGES.map((language) => [names[language] ?? "", components[language]])),
          [limited]: fetcher,
          [hasty]: fetcher,
          [denied]: fetcher,
        },
        limits: { deadlineMs: 20_000, memoryBytes: 256 * 1024 * 1024 },
      }),
      policies: policyFiles({
        ...Object.fromEntries(
          Object.values(names).map((name) => [
            name,
            { allow: ["outbound-http"], hosts: [`http://localhost:${server.port}`, `http://127.0.0.1:${server.port}`] },
          ]),
        ),
        [limited]: {
          allow: ["outbound-http"],
          hosts: [{ target: `http://localhost:${server.port}`, methods: ["GET"] }],
          limits: { httpResponseBytes: 100_000, httpConcurrency: 4 },
        },
        [hasty]: {
          allow: ["outbound-http"],
          hosts: [`http://localhost:${server.port}`],
          limits: { httpFirstByteMs: 300 },
        },
        [denied]: { allow: ["outbound-http"], hosts: ["https://*"] },
      }),
    });
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    await replica?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await nats?.close();
  });

  function call(plugin: string | undefined, method: string, payload: string): Promise<Reply> {
    return request(nats, `rpc.${plugin}.${method}`, payload, {}, 30_000);
  }

  /** A request of the C plugin: what it asks for, in the order in which it reads it. */
  function full(plugin: string | undefined, path: string, { method = "GET", bytes = "", body = "" } = {}) {
    const number = ["GET", "HEAD", "POST"].indexOf(method);
    return call(plugin, "http-full", `${number}\nlocalhost:${server.port}\n${path}\nx-from\nc\n${bytes}\n${body}`);
  }

  test.each(LANGUAGES.filter((language) => language !== "c"))(
    "a plugin in %s gets what a server answers",
    async (language) => {
      for (const host of ["localhost", "127.0.0.1"]) {
        const reply = await call(names[language], "fetch", `GET\nhttp://${host}:${server.port}/echo`);
        expect([reply.error, reply.status]).toEqual([undefined, 201]);
        expect(reply.text).toBe(`GET /echo from ${language === "javascript" ? "fetch" : language}, 0 bytes: `);
      }
    },
  );

  test.each(LANGUAGES.filter((language) => language !== "c"))("a plugin in %s sends a body", async (language) => {
    const body = "x".repeat(200_000);
    const reply = await call(names[language], "fetch", `POST\nhttp://localhost:${server.port}/echo\n${body}`);
    expect([reply.error, reply.status]).toEqual([undefined, 201]);
    expect(reply.text).toMatch(/^POST \/echo from \w+, 200000 bytes: x{10}$/);
  });

  test.each(LANGUAGES.filter((language) => language !== "c"))(
    "a plugin in %s reads a body of many windows",
    async (language) => {
      const reply = await call(names[language], "fetch", `GET\nhttp://localhost:${server.port}/bytes?count=900000`);
      expect([reply.error, reply.status, reply.data.length]).toEqual([undefined, 200, 900_000]);
    },
  );

  test.each(LANGUAGES.filter((language) => language !== "c"))(
    "a plugin in %s is told that it may not",
    async (language) => {
      const reply = await call(names[language], "fetch", "GET\nhttp://evil.example/");
      expect(reply.error).toBe("plugin-error");
    },
  );

  test("a plugin in C sends method, path, field and body, and reads what comes back", async () => {
    const reply = await full(names["c"], "/echo?q=1", { method: "POST", bytes: "5000000", body: "hello" });
    expect([reply.status, reply.text]).toEqual([201, "POST /echo?q=1 from c, 5000000 bytes: hellobbbbb"]);
    expect((await full(names["c"], "/bytes?count=5000000")).text).toBe("5000000");
    expect((await full(names["c"], "/echo", { method: "HEAD" })).status).toBe(201);
  });

  test("only the methods that the policy names are sent", async () => {
    expect((await full(limited, "/echo")).status).toBe(201);
    expect((await full(limited, "/echo", { method: "POST", bytes: "1" })).text).toBe(error("HTTP-request-denied"));
  });

  test("a response that is too large, or does not begin, is an error of its own", async () => {
    expect((await full(limited, "/bytes?count=100000")).text).toBe("100000");
    expect((await full(limited, "/bytes?count=100001")).text).toBe(error("HTTP-response-body-size"));
    expect((await full(hasty, "/silent")).text).toBe(error("HTTP-response-timeout"));
  });

  test("a request that is dropped is broken off, and its place is free again", async () => {
    for (let round = 0; round < 3; round++)
      expect((await call(limited, "http-drop", `localhost:${server.port}\n4`)).text).toBe("4");
    await expect.poll(async () => (await full(limited, "/echo")).status).toBe(201);
  });

  test("what was refused is told to the plugin's log and counted", async () => {
    const reply = await full(denied, "/echo");
    expect(reply.text).toBe(error("HTTP-request-denied"));
    const record = await replica.logged(({ plugin, msg }) => plugin === denied && String(msg).includes("was not sent"));
    expect(record["msg"]).toContain(`the policy allows no http://localhost:${server.port} (HTTP-request-denied)`);
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    expect(metrics).toContain(`network_host_http_requests_total{plugin="${denied}",outcome="HTTP-request-denied"} 1`);
  });

  test("an exchange ends with the request that it belongs to", async () => {
    const open = server.open;
    const reply = await request(nats, `rpc.${names["c"]}.http-full`, `0\nlocalhost:${server.port}\n/silent\n\n\n\n`, {
      "Rpc-Timeout-Ms": "300",
    });
    expect(reply.error ?? reply.text).toMatch(/deadline-exceeded|plugin-error/);
    await expect.poll(() => server.open).toBeLessThanOrEqual(open);
  });
});

function error(code: HttpErrorCode): string {
  return `error-code ${String(HTTP_ERROR_CODES.indexOf(code)).padStart(2, "0")}`;
}

const answer: Parameters<typeof startHttpServer>[0] = (incoming, outgoing) => {
  const { pathname, searchParams } = new URL(incoming.url ?? "", "http://server.example");
  if (pathname === "/silent") return;
  if (pathname === "/bytes") {
    outgoing.end(Buffer.alloc(Number(searchParams.get("count")), "v"));
    return;
  }
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const body = Buffer.concat(chunks);
    const from = String(incoming.headers["x-from"]);
    outgoing.writeHead(201);
    outgoing.end(
      `${incoming.method} ${incoming.url} from ${from}, ${body.length} bytes: ${body.subarray(0, 10).toString()}`,
    );
  });
};
