import { describe, expect, test } from "vitest";
import type { ScriptedExchange, SceneSetup, StoreFault } from "../../../src/config/test-case.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import type { HttpFailure, HttpSink } from "../../../src/contract/http.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { OutboundRequest } from "../../../src/egress/outbound-http.ts";
import type { KeyAddress, KeyValueStore } from "../../../src/kv/store.ts";
import { createPolicy } from "../../../src/policy/create-policy.ts";
import type { DialRules } from "../../../src/policy/egress-rules.ts";
import { parseHttpTarget } from "../../../src/policy/http-target.ts";
import { Stage } from "../../../src/testing/scene.ts";
import { createScriptedHttp } from "../../../src/testing/scripted-http.ts";
import { createScriptedStore } from "../../../src/testing/scripted-store.ts";

const BUCKET = "users" as BucketName;
const OPTIONS = { timeoutMs: 5_000 };

function address(key: string, bucket = BUCKET): KeyAddress {
  return { namespace: { kind: "private", plugin: "tested" }, bucket, key };
}

function setup(parts: Partial<SceneSetup> = {}): SceneSetup {
  return { keys: new Map(), faults: [], exchanges: [], ...parts };
}

function fault(parts: Partial<StoreFault>): StoreFault {
  return {
    on: "any",
    bucket: undefined,
    key: undefined,
    skip: 0,
    times: undefined,
    delayMs: 0,
    fail: undefined,
    ...parts,
  };
}

function open(parts: Partial<SceneSetup>): { readonly stage: Stage; readonly store: KeyValueStore } {
  const stage = new Stage();
  stage.play(setup(parts));
  return { stage, store: createScriptedStore(stage, () => undefined) };
}

describe("the store of a scene", () => {
  test("begins with the scene's keys, and nothing of a scene is in the next one", async () => {
    const { stage, store } = open({ keys: new Map([[BUCKET, new Map([["ada", Buffer.from("1")]])]]) });
    expect(await store.get(address("ada"), OPTIONS)).toEqual(Buffer.from("1"));
    await store.set(address("byron"), Buffer.from("2"), OPTIONS);
    expect([...stage.scene.keys.bucket(BUCKET).keys()]).toEqual(["ada", "byron"]);
    stage.play(setup());
    expect(await store.get(address("ada"), OPTIONS)).toBeUndefined();
  });

  test("fails as often as a fault says, after those that it leaves alone", async () => {
    const { store, stage } = open({ faults: [fault({ on: "get", skip: 1, times: 1, fail: "store-timeout" })] });
    expect(stage.scene.keys.unmetFaults).toEqual([0]);
    expect(await store.get(address("ada"), OPTIONS)).toBeUndefined();
    expect(stage.scene.keys.unmetFaults).toEqual([0]);
    await expect(store.get(address("ada"), OPTIONS)).rejects.toMatchObject({ code: "store-timeout" });
    expect(await store.get(address("ada"), OPTIONS)).toBeUndefined();
    expect(stage.scene.keys.unmetFaults).toEqual([]);
  });

  test("applies a fault to the operations, buckets and keys that it names", async () => {
    const { store } = open({ faults: [fault({ on: "set", bucket: BUCKET, key: "ada", fail: "store-unavailable" })] });
    const value = Buffer.from("1");
    await expect(store.set(address("ada"), value, OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
    await store.set(address("ada", "others" as BucketName), value, OPTIONS);
    await store.set(address("byron"), value, OPTIONS);
    expect(await store.get(address("ada"), OPTIONS)).toBeUndefined();
  });

  test("is slow as MongoDB would be: a read that takes too long has the time-out's code", async () => {
    const { store, stage } = open({ faults: [fault({ delayMs: 60_000 })] });
    const slow = { timeoutMs: 20 };
    await expect(store.get(address("ada"), slow)).rejects.toMatchObject({ code: "store-timeout" });
    await expect(store.set(address("ada"), Buffer.from("1"), slow)).rejects.toMatchObject({
      code: "store-outcome-unknown",
    });
    const before = stage.scene;
    stage.play(setup());
    expect(before.keys.bucket(BUCKET).size).toBe(0);
  });

  test("knows a shared bucket by the name that the plugin has for it", async () => {
    const shared = new Map([["mine" as BucketName, "everyones" as BucketName]]);
    const policy = createPolicy({
      plugin: "tested" as PluginName,
      allow: 3,
      buckets: { private: [], shared },
      hosts: [],
      limits: {},
    });
    const stage = new Stage();
    stage.play(setup({ keys: new Map([["mine" as BucketName, new Map([["a", Buffer.from("1")]])]]) }));
    const store = createScriptedStore(stage, () => policy);
    const name = "everyones" as BucketName;
    const everyones = { namespace: { kind: "shared", name }, bucket: name, key: "a" } as const;
    expect(await store.get(everyones, OPTIONS)).toEqual(Buffer.from("1"));
  });
});

function exchange(parts: Partial<ScriptedExchange> = {}): ScriptedExchange {
  return {
    request: { method: "GET", url: "http://api.test/a", headers: new Map(), body: undefined },
    delayMs: 0,
    times: 1,
    outcome: {
      kind: "response",
      status: 200,
      headers: [],
      chunks: [Buffer.from("one"), Buffer.from("two")],
      failure: undefined,
    },
    ...parts,
  };
}

function request(parts: Partial<OutboundRequest> = {}): OutboundRequest {
  const target = parseHttpTarget("http", "api.test");
  if (target === undefined) throw new Error("no target");
  return {
    target,
    method: "GET",
    path: "/a",
    fields: [],
    body: { kind: "none" },
    dial: {} as DialRules,
    connectMs: 1_000,
    firstByteMs: 1_000,
    betweenBytesMs: 1_000,
    ...parts,
  };
}

/** Records what an exchange tells. */
class Told implements HttpSink {
  readonly events: string[] = [];
  bytes = 0;
  wantedBytes = 0;
  readonly #end = Promise.withResolvers<void>();

  get ended(): Promise<void> {
    return this.#end.promise;
  }

  wanted(bytes: number): void {
    this.wantedBytes += bytes;
  }

  response({ status }: { readonly status: number }): void {
    this.events.push(`status ${status}`);
  }

  chunk(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.events.push(bytes.length > 10 ? `${bytes.length} bytes` : Buffer.from(bytes).toString());
  }

  end(): void {
    this.events.push("end");
    this.#end.resolve();
  }

  fail({ code }: HttpFailure): void {
    this.events.push(code);
    this.#end.resolve();
  }
}

function client(exchanges: readonly ScriptedExchange[]) {
  const stage = new Stage();
  const scene = stage.play(setup({ exchanges }));
  const http = createScriptedHttp(stage).createClient({ concurrency: 1, headerBytes: 1, onConnect: () => undefined });
  return { scene, http };
}

describe("the HTTP of a scene", () => {
  test("answers in the parts that the scene has, and counts what took place", async () => {
    const { http, scene } = client([exchange()]);
    expect(scene.exchanges.missing).toEqual([{ index: 0, had: 0 }]);
    const told = new Told();
    await http.open(request(), told).closed;
    expect(told.events).toEqual(["status 200", "one", "two", "end"]);
    expect(scene.exchanges.missing).toEqual([]);
  });

  test("tells no more of a body than is wanted", async () => {
    const size = FIXED_LIMITS.httpWindowBytes + 10;
    const chunks = [Buffer.alloc(size)];
    const { http } = client([
      exchange({ outcome: { kind: "response", status: 200, headers: [], chunks, failure: undefined } }),
    ]);
    const told = new Told();
    const open = http.open(request(), told);
    await expect.poll(() => told.bytes).toBe(FIXED_LIMITS.httpWindowBytes);
    open.read(4);
    expect(told.bytes).toBe(FIXED_LIMITS.httpWindowBytes + 4);
    open.read(100);
    await told.ended;
    expect(told.bytes).toBe(size);
  });

  test("answers once the request's body is whole, and has it then", async () => {
    const { http, scene } = client([
      exchange({ request: { method: "POST", url: "http://api.test/a", headers: new Map(), body: undefined } }),
    ]);
    const told = new Told();
    const open = http.open(request({ method: "POST", body: { kind: "stream", bytes: undefined } }), told);
    open.write(Buffer.from("abc"));
    open.write(Buffer.from("de"));
    await expect.poll(() => told.wantedBytes).toBe(5);
    expect(told.events).toEqual([]);
    open.finish();
    await told.ended;
    expect(Buffer.from(scene.exchanges.had[0]?.sent().body ?? []).toString()).toBe("abcde");
  });

  test("refuses what the scene does not have, and says so", async () => {
    const { http, scene } = client([exchange()]);
    for (const path of ["/b", "/a", "/a"]) {
      const told = new Told();
      await http.open(request({ path }), told).closed;
      expect(told.events.at(-1)).toBe(path === "/a" && scene.exchanges.had.length === 2 ? "end" : "connection-refused");
    }
    expect(scene.exchanges.had.map(({ index }) => index)).toEqual([undefined, 0, undefined]);
  });

  test("fails as the scene says, before a response or within it", async () => {
    const { http } = client([
      exchange({ outcome: { kind: "failure", code: "DNS-timeout" } }),
      exchange({
        outcome: {
          kind: "response",
          status: 200,
          headers: [],
          chunks: [Buffer.from("x")],
          failure: "connection-terminated",
        },
      }),
    ]);
    const [first, second] = [new Told(), new Told()];
    await http.open(request(), first).closed;
    await http.open(request(), second).closed;
    expect(first.events).toEqual(["DNS-timeout"]);
    expect(second.events).toEqual(["status 200", "x", "connection-terminated"]);
  });

  test("gives up a server that is silent for longer than the request allows", async () => {
    const { http } = client([exchange({ delayMs: 60_000 })]);
    const told = new Told();
    await http.open(request({ firstByteMs: 10 }), told).closed;
    expect(told.events).toEqual(["HTTP-response-timeout"]);
  });

  test("tells nothing after an abort", async () => {
    const { http } = client([exchange({ delayMs: 10 })]);
    const told = new Told();
    const open = http.open(request(), told);
    open.abort();
    await open.closed;
    expect(told.events).toEqual([]);
  });
});
