import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OperationContext } from "../../../src/capabilities/host-side.ts";
import { ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import type { HttpExchange } from "../../../src/contract/http.ts";
import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../../../src/contract/limits.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import { Authority } from "../../../src/policy/authority.ts";
import { createPolicy, type PolicyContent } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import { Brokered } from "./brokered.ts";
import { RecordingHttp, RecordingSink } from "./recording-http.ts";
import { RecordingStore } from "./recording-store.ts";

const PLUGIN = "p" as PluginName;
const bucket = (name: string): BucketName => name as BucketName;
const READ_WRITE = bitsFromLevels(["key-value-read", "key-value-write"]);

function policyOf(change: Partial<PolicyContent> = {}): ReturnType<typeof createPolicy> {
  return createPolicy({
    plugin: PLUGIN,
    allow: ALL_ACCESS_LEVEL_BITS,
    buckets: { private: "any", shared: new Map() },
    hosts: ["http://10.0.0.0/8", "http://*.example", "http://one.test"],
    limits: {},
    ...change,
  });
}

/** A version that was granted everything, and the operator's hand on it. */
class Scene {
  readonly store = new RecordingStore();
  readonly http = new RecordingHttp();
  readonly outcomes: string[] = [];
  readonly notes: string[] = [];
  readonly #authority = new Authority({
    requested: ALL_ACCESS_LEVEL_BITS,
    signers: [],
    verdict: decide(ALL_ACCESS_LEVEL_BITS, policyOf()),
    limits: DEFAULT_PLUGIN_LIMITS,
  });
  readonly broker = new Brokered({
    plugin: PLUGIN,
    authority: this.#authority,
    drivers: { store: this.store, http: this.http },
    onDriverError: () => undefined,
    count: (capability, _operation, outcome) => {
      if (capability === "outbound-http") this.outcomes.push(outcome);
    },
    uses: { countBucket: () => undefined, countHost: () => undefined, noteAddress: () => undefined },
  });

  confine(change: Partial<PolicyContent>, limits: Partial<PluginLimits> = {}): void {
    this.#authority.confine(policyOf(change), { ...DEFAULT_PLUGIN_LIMITS, ...limits });
  }

  context(): OperationContext {
    return {
      remainingMs: () => 60_000,
      storeMs: 0,
      isBusy: false,
      isAfterOutage: false,
      note: (text) => this.notes.push(text),
    };
  }

  async set(name: string, value: string): Promise<string> {
    const result = await this.broker.perform(
      { kind: "set", bucket: name, key: "k", value: Buffer.from(value) },
      this.context(),
    );
    return result.kind === "error" ? result.message : result.kind;
  }

  async get(name: string): Promise<string> {
    const result = await this.broker.perform({ kind: "get", bucket: name, key: "k" }, this.context());
    if (result.kind === "value") return Buffer.from(result.value).toString();
    return result.kind === "error" ? result.message : result.kind;
  }

  open(authority: string, method = "GET"): { readonly exchange: HttpExchange; readonly told: RecordingSink["told"] } {
    const sink = new RecordingSink();
    const fields = {
      fields: [],
      hasBody: true,
      connectMs: undefined,
      firstByteMs: undefined,
      betweenBytesMs: undefined,
    };
    const exchange = this.broker.openHttp(
      { method, scheme: "http", authority, path: "/", ...fields },
      sink,
      this.context(),
    );
    return { exchange, told: sink.told };
  }
}

describe("operations on the store, once less is allowed", () => {
  test("are refused from the next one on, by level, bucket, size and as a whole", async () => {
    const scene = new Scene();
    expect(await scene.set("a", "value")).toBe("none");
    scene.confine({ buckets: { private: [bucket("b")], shared: new Map() } });
    expect([await scene.get("a"), await scene.get("b")]).toEqual([expect.stringMatching(/^access-denied/), "none"]);
    scene.confine({}, { valueBytes: 4, keyBytes: 1 });
    expect(await scene.set("a", "value")).toMatch(/^value-too-large/);
    expect(await scene.get("a")).toMatch(/^value-too-large/);
    scene.confine({ allow: READ_WRITE });
    expect([await scene.get("a"), await scene.set("a", "v")]).toEqual([
      expect.stringMatching(/^access-denied: the policy no longer/),
      expect.stringMatching(/^access-denied: the policy no longer/),
    ]);
    scene.confine({});
    expect(await scene.get("a")).toBe("value");
  });

  test("mean one and the same bucket under both policies, or none", async () => {
    const scene = new Scene();
    expect(await scene.set("a", "private")).toBe("none");
    scene.confine({ buckets: { private: "any", shared: new Map([[bucket("a"), bucket("a")]]) } });
    expect(await scene.get("a")).toMatch(/^access-denied/);
    expect(scene.store.operations).toHaveLength(1);
  });

  test("bring back nothing that may not be read any more", async () => {
    const scene = new Scene();
    await scene.set("a", "secret");
    const release = scene.store.hold();
    const [read, shared] = [scene.get("a"), scene.get("b")];
    scene.confine({ buckets: { private: [bucket("b")], shared: new Map() } });
    release();
    expect(await Promise.all([read, shared])).toEqual([expect.stringMatching(/^access-denied/), "none"]);
  });

  test("that fail are told apart from those that are no longer allowed", async () => {
    const scene = new Scene();
    const release = scene.store.hold();
    const [one, other] = [scene.set("a", "v"), scene.set("b", "v")];
    scene.store.failWith("store-unavailable");
    scene.confine({ buckets: { private: [bucket("b")], shared: new Map() } });
    release();
    expect(await one).toMatch(/^access-denied/);
    expect(await other).toMatch(/^store-unavailable/);
  });
});

describe("outbound requests in flight, once less is allowed", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("are broken off where their target is no longer allowed, and only those", () => {
    const scene = new Scene();
    const [kept, lost] = [scene.open("a.example"), scene.open("one.test")];
    scene.confine({ hosts: ["http://10.0.0.0/8", "http://*.example"] });
    expect(lost.told).toEqual([["fail", { code: "HTTP-request-denied" }]]);
    expect(scene.http.exchanges.map(({ events }) => events)).toEqual([[], ["abort"]]);
    expect(scene.notes).toEqual([
      "an outbound HTTP request was broken off: the policy allows no http://one.test (HTTP-request-denied)",
    ]);
    lost.exchange.write(Buffer.from("more"));
    kept.exchange.write(Buffer.from("more"));
    expect(scene.http.exchanges.map(({ written }) => written.length)).toEqual([1, 0]);
    expect(scene.outcomes).toEqual(["HTTP-request-denied"]);
  });

  test("are broken off where the method, the level or an address behind the name is no longer allowed", () => {
    for (const change of [
      { hosts: [{ target: "http://*.example", methods: ["GET" as const] }, "http://10.0.0.0/8"] },
      { allow: READ_WRITE },
      // The name is still allowed; where it led to may not be.
      { hosts: ["http://*.example", "http://10.1.0.0/16"] },
    ]) {
      const scene = new Scene();
      const { told } = scene.open("a.example", "POST");
      scene.confine({});
      expect(told).toEqual([]);
      scene.confine(change);
      expect(told).toEqual([["fail", { code: "HTTP-request-denied" }]]);
    }
  });

  test("go on where something is added to what is allowed", () => {
    const scene = new Scene();
    const { told } = scene.open("a.example");
    scene.confine({ hosts: ["http://10.0.0.0/8", "http://192.168.0.0/16", "http://*.example", "https://*"] });
    expect(told).toEqual([]);
  });

  test("have the lower limits of bytes and time", () => {
    const scene = new Scene();
    const [slow, header, sending, receiving] = ["a", "b", "c", "d"].map((name) => scene.open(`${name}.example`));
    const [, toHeader, , toReceiving] = scene.http.exchanges.map(({ sink }) => sink);
    vi.advanceTimersByTime(1_000);
    scene.confine({}, { httpTotalMs: 3_000, httpHeaderBytes: 1_024, httpRequestBytes: 3, httpResponseBytes: 3 });
    toHeader?.response({ status: 200, fields: [["x", Buffer.alloc(1_024)]] });
    expect(header?.told).toEqual([["fail", { code: "HTTP-response-header-section-size", bytes: 1_029 }]]);
    sending?.exchange.write(Buffer.from("four"));
    expect(sending?.told).toEqual([["fail", { code: "HTTP-request-body-size", bytes: 4 }]]);
    toReceiving?.chunk(Buffer.from("four"));
    expect(receiving?.told).toEqual([["fail", { code: "HTTP-response-body-size", bytes: 4 }]]);
    vi.advanceTimersByTime(1_999);
    expect(slow?.told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(slow?.told).toEqual([["fail", { code: "HTTP-response-timeout" }]]);
  });

  test("take places that count against a lower limit", () => {
    const scene = new Scene();
    scene.open("a.example");
    scene.confine({}, { httpConcurrency: 1 });
    expect(scene.open("b.example").told).toEqual([["fail", { code: "connection-limit-reached" }]]);
  });

  test("are left alone once the version is closed", async () => {
    const scene = new Scene();
    const { told } = scene.open("a.example");
    await scene.broker.close();
    scene.confine({ hosts: [] });
    expect(told).toEqual([]);
  });
});
