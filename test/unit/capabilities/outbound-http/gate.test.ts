import { describe, expect, test, vi } from "vitest";
import type { OperationContext } from "../../../../src/capabilities/host-side.ts";
import { ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../../src/contract/access-levels.ts";
import type { HttpRequest } from "../../../../src/contract/http.ts";
import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../../../../src/contract/limits.ts";
import type { PluginName } from "../../../../src/contract/names.ts";
import type { Authority } from "../../../../src/policy/authority.ts";
import type { AllowedHost } from "../../../../src/policy/policy.ts";
import { authorityOf } from "../authority-of.ts";
import { Brokered } from "../brokered.ts";
import { RecordingHttp, RecordingSink } from "../recording-http.ts";
import { RecordingStore } from "../recording-store.ts";

interface Stage {
  readonly broker: Brokered;
  readonly authority: Authority;
  readonly http: RecordingHttp;
  readonly outcomes: string[];
  readonly uses: string[];
}

function stage(
  hosts: readonly AllowedHost[],
  limits: Partial<PluginLimits> = {},
  levels = ALL_ACCESS_LEVEL_BITS,
): Stage {
  const http = new RecordingHttp();
  const outcomes: string[] = [];
  const uses: string[] = [];
  const plugin = "p" as PluginName;
  const grant = { plugin, levels, buckets: { private: "any", shared: new Map() }, hosts, policyRevision: "0" } as const;
  const authority = authorityOf(grant, { ...DEFAULT_PLUGIN_LIMITS, ...limits });
  const broker = new Brokered({
    plugin,
    authority,
    drivers: { store: new RecordingStore(), http },
    onDriverError: () => undefined,
    count: (_capability, _operation, outcome) => outcomes.push(outcome),
    uses: {
      countBucket: () => undefined,
      countHost: (target, method) => uses.push(`${method} ${target}`),
      noteAddress: (target, address) => uses.push(`${target} at ${address}`),
    },
  });
  return { broker, authority, http, outcomes, uses };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

const REQUEST: HttpRequest = {
  method: "GET",
  scheme: "https",
  authority: "api.example.com",
  path: "/v1?q=1",
  fields: [],
  hasBody: false,
  connectMs: undefined,
  firstByteMs: undefined,
  betweenBytesMs: undefined,
};

function contextWith(remainingMs = 5_000, notes: string[] = []): OperationContext {
  return {
    remainingMs: () => remainingMs,
    storeMs: 0,
    isBusy: false,
    isAfterOutage: false,
    note: (text) => notes.push(text),
  };
}

/** What one request came to: what was told, and whether the driver saw it. */
function ask(scene: Stage, change: Partial<HttpRequest> = {}, context = contextWith()) {
  const sink = new RecordingSink();
  const exchange = scene.broker.openHttp({ ...REQUEST, ...change }, sink, context);
  return { exchange, told: sink.told, sent: scene.http.exchanges.at(-1) };
}

const ANY = ["https://api.example.com"];

test("where a name leads is told if a policy has to name it", () => {
  const scene = stage(ANY);
  ask(scene);
  scene.uses.length = 0;
  const [client] = scene.http.clients;
  for (const [target, address] of [
    ["https://api.example.com", "93.184.216.34"],
    ["https://api.example.com", "10.0.0.1"],
    ["https://api.example.com:8443", "fd00::1"],
    ["http://localhost:8080", "127.0.0.1"],
    ["http://localhost.example.com", "127.0.0.1"],
  ] as const)
    client?.onConnect(target, address);
  expect(scene.uses).toEqual([
    "https://api.example.com at 10.0.0.1",
    "https://api.example.com:8443 at fd00::1",
    "http://localhost.example.com at 127.0.0.1",
  ]);
});

describe("outbound HTTP", () => {
  test.each(Array.from({ length: 8 }, (_, levels) => levels))(
    "with flags %i reaches the network only with its own",
    (levels) => {
      const scene = stage(ANY, {}, levels);
      const { told } = ask(scene);
      const held = (levels & bitsFromLevels(["outbound-http"])) !== 0;
      expect(told).toEqual(held ? [] : [["fail", { code: "HTTP-request-denied" }]]);
      expect(scene.http.exchanges).toHaveLength(held ? 1 : 0);
      expect(scene.uses).toHaveLength(held ? 1 : 0);
      expect(scene.outcomes).toEqual(held ? [] : ["HTTP-request-denied"]);
    },
  );

  test("is counted by its target and method where it is sent, and only there", () => {
    const scene = stage(["https://*.example.com", "https://*.example.com:8443"], { httpConcurrency: 2 });
    ask(scene, { authority: "API.example.com:443" });
    ask(scene, { authority: "api.example.com:8443", method: "POST" });
    ask(scene, { authority: "evil.example" });
    ask(scene, { path: "no path" });
    ask(scene, { authority: "one-too-many.example.com" });
    expect(scene.uses).toEqual(["GET https://api.example.com", "POST https://api.example.com:8443"]);
  });

  test("is denied where the policy names no such target, and the plugin's log says which", () => {
    const scene = stage(ANY);
    const notes: string[] = [];
    const { told } = ask(scene, { authority: "evil.example" }, contextWith(5_000, notes));
    expect(told).toEqual([["fail", { code: "HTTP-request-denied" }]]);
    expect(notes).toEqual([
      "an outbound HTTP request was not sent: the policy allows no https://evil.example (HTTP-request-denied)",
    ]);
    expect(scene.http.exchanges).toEqual([]);
    expect(scene.outcomes).toEqual(["HTTP-request-denied"]);
  });

  test("is denied for a method that the policy does not name", () => {
    const scene = stage([{ target: "https://api.example.com", methods: ["GET"] }]);
    expect(ask(scene, { method: "POST" }).told).toEqual([["fail", { code: "HTTP-request-denied" }]]);
    expect(ask(scene, { method: "get" }).told).toEqual([["fail", { code: "HTTP-request-denied" }]]);
    expect(ask(scene).told).toEqual([]);
  });

  test.each([
    ["CONNECT", "HTTP-request-method-invalid"],
    ["connect", "HTTP-request-method-invalid"],
    ["TRACE", "HTTP-request-method-invalid"],
    ["", "HTTP-request-method-invalid"],
    ["GET /x HTTP/1.1\r\nhost: evil\r\n\r\nGET", "HTTP-request-method-invalid"],
    ["G\u00c9T", "HTTP-request-method-invalid"],
  ])("refuses the method %j", (method, code) => {
    expect(ask(stage(ANY), { method }).told).toEqual([["fail", { code }]]);
  });

  test.each([
    "",
    "x",
    "//evil.example/",
    "http://evil.example/",
    "*",
    "?q",
    "/a b",
    "/a#b",
    "/a\r\nhost: evil.example",
    "/\u00e9",
    "/\0",
  ])("refuses the path %j", (path) => {
    expect(ask(stage(ANY), { path }).told).toEqual([["fail", { code: "HTTP-request-URI-invalid" }]]);
  });

  test("refuses a path that is too long", () => {
    const path = `/${"a".repeat(8_192)}`;
    expect(ask(stage(ANY), { path }).told).toEqual([["fail", { code: "HTTP-request-URI-too-long" }]]);
  });

  test.each([
    ["ftp", "api.example.com"],
    ["HTTPS", "api.example.com"],
    ["https", ""],
    ["https", "user@api.example.com"],
    ["https", "api.example.com@evil.example"],
    ["https", "api.example.com/x"],
    ["https", "api.example.com:0"],
    ["https", "api.example.com:65536"],
    ["https", "api.example.com\\.evil.example"],
    ["https", "api%2eexample.com"],
    ["https", "[::1%25eth0]"],
    ["https", "a..b"],
  ])("refuses the scheme %j with the authority %j", (scheme, authority) => {
    expect(ask(stage(["*://*:*"]), { scheme, authority }).told).toEqual([
      ["fail", { code: "HTTP-request-URI-invalid" }],
    ]);
  });

  test("leaves out the fields that belong to the connection, and keeps the others as they were given", () => {
    const fields = [
      "Host",
      "Connection",
      "Keep-Alive",
      "TE",
      "Trailer",
      "Transfer-Encoding",
      "Upgrade",
      "Expect",
      "Proxy-Authorization",
      "proxy-connection",
      "HTTP2-Settings",
    ].map((name) => [name, bytes("x")] as const);
    const kept = [["X-Mine", bytes("1")] as const, ["x-mine", bytes("\xe9\t2")] as const];
    const { sent } = ask(stage(ANY), { fields: [...fields, ...kept] });
    expect(sent?.request.fields).toEqual(kept);
  });

  test.each([
    ["x\r\ny", "1"],
    ["x y", "1"],
    ["", "1"],
    ["x", "1\r\nhost: evil.example"],
    ["x", "1\0"],
    ["x", "1\x7f"],
  ])("refuses the field %j: %j", (name, value) => {
    expect(ask(stage(ANY), { fields: [[name, bytes(value)]] }).told).toEqual([
      ["fail", { code: "HTTP-protocol-error" }],
    ]);
  });

  test.each([[["1", "1"]], [["1", "2"]], [["+1"]], [["0x1"]], [["1, 1"]], [[""]], [["01"]], [["-1"]]])(
    "refuses the content-length %j",
    (lengths) => {
      const fields = lengths.map((length) => ["Content-Length", bytes(length)] as const);
      expect(ask(stage(ANY), { fields, hasBody: true }).told).toEqual([["fail", { code: "HTTP-protocol-error" }]]);
    },
  );

  test("makes the content-length its own", () => {
    const fields = [["Content-Length", bytes("3")] as const];
    const { sent } = ask(stage(ANY), { method: "POST", fields, hasBody: true });
    expect(sent?.request).toMatchObject({ fields: [], body: { kind: "stream", bytes: 3 } });
    expect(ask(stage(ANY), { fields }).told).toEqual([["fail", { code: "HTTP-request-body-size", bytes: 0 }]]);
  });

  test("refuses header fields beyond the limit", () => {
    const scene = stage(ANY, { httpHeaderBytes: 1_024 });
    const fields = [["x", bytes("v".repeat(1_020))] as const];
    expect(ask(scene, { fields }).told).toEqual([["fail", { code: "HTTP-request-header-section-size", bytes: 1_025 }]]);
  });

  test("ends a request whose body is longer than the limit", () => {
    const scene = stage(ANY, { httpRequestBytes: 10 });
    const { exchange, told, sent } = ask(scene, { method: "POST", hasBody: true });
    exchange.write(bytes("1234567890"));
    expect(told).toEqual([]);
    exchange.write(bytes("1"));
    expect(told).toEqual([["fail", { code: "HTTP-request-body-size", bytes: 11 }]]);
    expect(sent?.events).toEqual(["abort"]);
  });

  test("ends a response whose body is longer than the limit", () => {
    const scene = stage(ANY, { httpResponseBytes: 10 });
    const { told, sent } = ask(scene);
    sent?.sink.chunk(bytes("1234567890"));
    sent?.sink.chunk(bytes("1"));
    sent?.sink.chunk(bytes("1"));
    expect(told).toEqual([
      ["chunk", 10],
      ["fail", { code: "HTTP-response-body-size", bytes: 11 }],
    ]);
    expect(sent?.events).toEqual(["abort"]);
    expect(scene.outcomes).toEqual(["HTTP-response-body-size"]);
  });

  test("ends in time for the plugin to answer, however long the plugin's own limit is", () => {
    vi.useFakeTimers();
    try {
      const { told, sent } = ask(stage(ANY), {}, contextWith(1_000));
      vi.advanceTimersByTime(899);
      expect(told).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(told).toEqual([["fail", { code: "HTTP-response-timeout" }]]);
      expect(sent?.events).toEqual(["abort"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("is refused when the request's time is over", () => {
    expect(ask(stage(ANY), {}, contextWith(0)).told).toEqual([["fail", { code: "HTTP-response-timeout" }]]);
  });

  test("takes the shorter of the plugin's times and the host's", () => {
    const scene = stage(ANY, { httpFirstByteMs: 1_000 });
    expect(ask(scene, { connectMs: 5, firstByteMs: 2_000, betweenBytesMs: 7 }).sent?.request).toMatchObject({
      connectMs: 5,
      firstByteMs: 1_000,
      betweenBytesMs: 7,
    });
  });

  test("keeps its place until the connection is released, also when it is aborted", async () => {
    const scene = stage(ANY, { httpConcurrency: 2 });
    const first = ask(scene);
    ask(scene);
    expect(ask(scene).told).toEqual([["fail", { code: "connection-limit-reached" }]]);
    first.exchange.abort();
    expect(first.sent?.events).toEqual(["abort"]);
    expect(ask(scene).told).toEqual([["fail", { code: "connection-limit-reached" }]]);
    first.sent?.close();
    await Promise.resolve();
    expect(ask(scene).told).toEqual([]);
  });

  test("tells nothing more after its end, and counts it once", () => {
    const scene = stage(ANY);
    const { exchange, told, sent } = ask(scene);
    sent?.sink.end([]);
    sent?.sink.fail({ code: "internal-error" });
    sent?.sink.chunk(bytes("x"));
    exchange.abort();
    exchange.write(bytes("x"));
    expect(told).toEqual([["end", []]]);
    expect(sent?.written).toEqual([]);
    expect(scene.outcomes).toEqual(["ok"]);
  });

  test("has one client for a plugin, which ends with its broker", async () => {
    const scene = stage(ANY);
    await stage(ANY).broker.close();
    ask(scene);
    ask(scene);
    expect(scene.http.clients).toHaveLength(1);
    await scene.broker.close();
    expect(scene.http.closedClients).toBe(1);
  });
});
