import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { BatchStats } from "../../../src/telemetry/batch-stats.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import {
  type HealthServer,
  type HealthServerOptions,
  type Readiness,
  startHealthServer,
} from "../../../src/telemetry/health-server.ts";

const READY: Readiness = {
  nats: { ready: true },
  subscriptions: { ready: true },
  store: { ready: true },
  plugins: { ready: true },
};

const servers: HealthServer[] = [];

async function start(options: Partial<HealthServerOptions> = {}): Promise<HealthServer> {
  const server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    readiness: () => READY,
    metrics: createMetrics({ plugins: () => [], storeBatches: new BatchStats(), unusableFiles: () => 0 }),
    ...options,
  });
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe("the health server", () => {
  test("says that the process lives", async () => {
    const { url } = await start({ readiness: () => expect.fail("not asked") });
    const response = await fetch(`${url}/livez`);
    expect([response.status, await response.text()]).toEqual([200, "ok\n"]);
  });

  test("is ready when every condition holds", async () => {
    const { url } = await start();
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ready: true, checks: READY });
  });

  test("is not ready while one condition fails, and says which and why", async () => {
    const checks: Readiness = { ...READY, store: { ready: false, reason: "mongodb does not answer" } };
    const { url } = await start({ readiness: () => Promise.resolve(checks) });
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, checks });
  });

  test("shows the metrics with their content type", async () => {
    const { url } = await start();
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toContain("# TYPE network_host_requests_total counter");
  });

  test("answers 404 elsewhere and 405 to other methods", async () => {
    const { url } = await start();
    expect((await fetch(`${url}/`)).status).toBe(404);
    const post = await fetch(`${url}/readyz`, { method: "POST", body: "x".repeat(100_000) });
    expect([post.status, post.headers.get("allow"), post.headers.get("connection")]).toEqual([
      405,
      "GET, HEAD",
      "close",
    ]);
    const head = await fetch(`${url}/livez`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "3", ""]);
  });

  test("answers 500 without details when a condition cannot be read, and reports the failure", async () => {
    const failures: unknown[] = [];
    const { url } = await start({
      readiness: () => Promise.reject(new Error("secret detail")),
      failed: (error) => failures.push(error),
    });
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.text()]).toEqual([500, "internal error\n"]);
    expect(failures).toEqual([new Error("secret detail")]);
  });

  test("refuses an address in use, naming the flag", async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    await expect(start({ port })).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringContaining(`--health-port 127.0.0.1:${port}`) as string,
    });
  });

  test("closes twice, with an idle connection and a half-sent request open, and is then gone", async () => {
    const server = await start();
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /livez HTTP/1.1\r\n");
    await fetch(`${server.url}/livez`);
    await Promise.all([server.close(), server.close(), once(socket.resume(), "close")]);
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow("fetch failed");
  });
});
