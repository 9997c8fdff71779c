import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OperationContext } from "../../../../src/capabilities/host-side.ts";
import type { KeyValueOperation, KeyValueResult } from "../../../../src/capabilities/key-value/messages.ts";
import { type AccessLevel, ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import type { BucketName, PluginName } from "../../../../src/contract/names.ts";
import { errorRow } from "../../../../src/errors/table.ts";
import type { HostError } from "../../../../src/errors/host-error.ts";
import type { BucketPolicy, Grant } from "../../../../src/policy/policy.ts";
import { HOSTILE_KEYS } from "../../../conformance/kv/key-value-store.ts";
import { authorityOf } from "../authority-of.ts";
import { Brokered } from "../brokered.ts";
import { RecordingHttp } from "../recording-http.ts";
import { RecordingStore } from "../recording-store.ts";

const ANY_BUCKET: BucketPolicy = { private: "any", shared: new Map() };

interface Scene {
  readonly plugin?: string;
  readonly levels?: number;
  readonly buckets?: BucketPolicy;
  readonly limits?: { readonly keyBytes?: number; readonly valueBytes?: number };
  readonly store?: RecordingStore;
}

interface Stage {
  readonly broker: Brokered;
  readonly store: RecordingStore;
  readonly storeErrors: HostError[];
  /** Kind of operation, the plugin's name for the bucket, whose it is, its own name. */
  readonly uses: string[];
  /** Kind of operation, and how it ended. */
  readonly outcomes: string[];
}

function stage({
  plugin = "p",
  levels = ALL_ACCESS_LEVEL_BITS,
  buckets = ANY_BUCKET,
  limits = {},
  store = new RecordingStore(),
}: Scene = {}): Stage {
  const grant: Grant = { plugin: plugin as PluginName, levels, buckets, hosts: [], policyRevision: "0" };
  const storeErrors: HostError[] = [];
  const uses: string[] = [];
  const outcomes: string[] = [];
  const broker = new Brokered({
    plugin: grant.plugin,
    authority: authorityOf(grant, { ...DEFAULT_PLUGIN_LIMITS, ...limits }),
    drivers: { store, http: new RecordingHttp() },
    onDriverError: (error) => storeErrors.push(error),
    count: (_capability, operation, outcome) => outcomes.push(`${operation} ${outcome}`),
    uses: {
      countBucket: (operation, kind, name, bucket) => uses.push(`${operation} ${name} ${kind} ${bucket}`),
      countHost: () => undefined,
      noteAddress: () => undefined,
    },
  });
  return { broker, store, storeErrors, uses, outcomes };
}

function contextWith(remainingMs: number): OperationContext {
  return { remainingMs: () => remainingMs, storeMs: 0, isBusy: false, isAfterOutage: false, note: () => undefined };
}

const get = (bucket: string, key: string): KeyValueOperation => ({ kind: "get", bucket, key });
const set = (bucket: string, key: string, value: string | Uint8Array): KeyValueOperation => ({
  kind: "set",
  bucket,
  key,
  value: typeof value === "string" ? Buffer.from(value) : value,
});

function perform(broker: Brokered, operation: KeyValueOperation): Promise<KeyValueResult> {
  return broker.perform(operation, contextWith(5_000));
}

function textOf(result: KeyValueResult): string | undefined {
  return result.kind === "value" ? Buffer.from(result.value).toString() : undefined;
}

const named = (name: string): BucketName => name as BucketName;

const errorLike = (code: string): unknown => ({
  kind: "error",
  message: expect.stringMatching(new RegExp(`^${code}: .+\\.$`)),
});

describe("access levels", () => {
  const operations: readonly (readonly [KeyValueOperation, AccessLevel])[] = [
    [get("b", "k"), "key-value-read"],
    [set("b", "k", "v"), "key-value-write"],
  ];
  const cases = operations.flatMap(([operation, level]) =>
    Array.from({ length: 8 }, (_, levels) => ({ kind: operation.kind, operation, level, levels })),
  );

  test.each(cases)(
    "$kind with flags $levels is denied without its flag, and the store sees nothing",
    async ({ operation, level, levels }) => {
      const { broker, store, outcomes } = stage({ levels });
      const result = await perform(broker, operation);
      const held = (levels & bitsFromLevels([level])) !== 0;
      if (!held) {
        expect(result).toEqual(errorLike("access-denied"));
        expect(result).toMatchObject({ message: expect.stringContaining(level) });
      } else {
        expect(result).toEqual({ kind: "none" });
      }
      expect(store.operations).toHaveLength(held ? 1 : 0);
      expect(outcomes).toEqual([`${operation.kind} ${held ? "ok" : "access-denied"}`]);
    },
  );

  test("are checked before anything else about the operation is looked at", async () => {
    const { broker } = stage({ levels: 0, buckets: { private: [], shared: new Map() } });
    expect(await perform(broker, set("no such bucket!", "", new Uint8Array(0)))).toEqual(errorLike("access-denied"));
    expect(await perform(broker, get("no such bucket!", ""))).toMatchObject({
      message: expect.stringContaining("key-value-read"),
    });
  });

  test("of read alone give back what is there and leave it unchanged", async () => {
    const store = new RecordingStore();
    const writer = stage({ store });
    const reader = stage({ store, levels: bitsFromLevels(["key-value-read"]) });
    await perform(writer.broker, set("b", "k", "old"));
    expect(await perform(reader.broker, set("b", "k", "new"))).toEqual(errorLike("access-denied"));
    expect(textOf(await perform(reader.broker, get("b", "k")))).toBe("old");
  });
});

describe("buckets", () => {
  test("are private to a plugin: another plugin's bucket and key of the same names are empty", async () => {
    const store = new RecordingStore();
    const one = stage({ plugin: "one", store });
    const other = stage({ plugin: "other", store });
    await perform(one.broker, set("b", "k", "mine"));
    expect(await perform(other.broker, get("b", "k"))).toEqual({ kind: "none" });
    expect(store.operations.map(({ address }) => address.namespace)).toEqual([
      { kind: "private", plugin: "one" },
      { kind: "private", plugin: "other" },
    ]);
  });

  test("that a list does not hold are denied, and the store sees nothing", async () => {
    const { broker, store } = stage({ buckets: { private: [named("a")], shared: new Map() } });
    expect(await perform(broker, set("a", "k", "v"))).toEqual({ kind: "none" });
    for (const bucket of ["b", "A", "a ", "a/b", "", "any"]) {
      expect(await perform(broker, get(bucket, "k")), bucket).toEqual(errorLike("access-denied"));
      expect(await perform(broker, set(bucket, "k", "v")), bucket).toEqual(errorLike("access-denied"));
    }
    expect(store.operations).toHaveLength(1);
  });

  test("none at all where the list is empty", async () => {
    const { broker, store } = stage({ buckets: { private: [], shared: new Map() } });
    expect(await perform(broker, get("a", "k"))).toEqual(errorLike("access-denied"));
    expect(store.operations).toHaveLength(0);
  });

  test("are shared only by policy, under each plugin's own name for them", async () => {
    const store = new RecordingStore();
    const one = stage({
      plugin: "one",
      store,
      buckets: { private: [], shared: new Map([[named("mine"), named("common")]]) },
    });
    const other = stage({
      plugin: "other",
      store,
      buckets: { private: "any", shared: new Map([[named("theirs"), named("common")]]) },
    });
    const third = stage({ plugin: "third", store });
    await perform(one.broker, set("mine", "k", "v"));
    expect(textOf(await perform(other.broker, get("theirs", "k")))).toBe("v");
    for (const bucket of ["mine", "theirs", "common"])
      expect(await perform(third.broker, get(bucket, "k"))).toEqual({ kind: "none" });
    expect(await perform(other.broker, get("common", "k"))).toEqual({ kind: "none" });
    expect(await perform(one.broker, get("common", "k"))).toEqual(errorLike("access-denied"));
  });

  test("are counted by what the plugin calls them where an operation reaches the store, and only there", async () => {
    const { broker, uses } = stage({
      buckets: { private: "any", shared: new Map([[named("mine"), named("common")]]) },
      limits: { valueBytes: 1 },
    });
    await perform(broker, set("mine", "k", "v"));
    await perform(broker, get("own", "k"));
    await perform(broker, get("no such bucket!", "k"));
    await perform(broker, get("own", ""));
    await perform(broker, set("own", "k", "too large"));
    await broker.perform(get("own", "k"), contextWith(0));
    expect(uses).toEqual(["set mine shared common", "get own private own"]);
    const denied = stage({ levels: 0 });
    await perform(denied.broker, get("own", "k"));
    expect(denied.uses).toEqual([]);
  });

  test("that are shared let the store know which plugin asks, so that plugins take turns", async () => {
    const store = new RecordingStore();
    const buckets: BucketPolicy = { private: [], shared: new Map([[named("common"), named("common")]]) };
    for (const plugin of ["one", "other"]) await perform(stage({ plugin, store, buckets }).broker, get("common", "k"));
    expect(store.operations.map(({ caller }) => caller)).toEqual(["one", "other"]);
  });

  test.each(["", "a b", "a/b", "a\0", "é", "../x", "a".repeat(129), "$", "a\n"])(
    "named %j are invalid",
    async (bucket) => {
      const { broker, store } = stage();
      expect(await perform(broker, get(bucket, "k"))).toEqual(errorLike("invalid-bucket"));
      expect(store.operations).toHaveLength(0);
    },
  );

  test("named like members of an object are only names", async () => {
    const { broker, store } = stage({ buckets: { private: [], shared: new Map() } });
    for (const bucket of ["constructor", "__proto__", "toString", "get", "size"])
      expect(await perform(broker, get(bucket, "k"))).toEqual(errorLike("access-denied"));
    expect(store.operations).toHaveLength(0);
  });
});

describe("keys", () => {
  test("reach the store as they are, whatever they look like, isolated between two plugins", async () => {
    const store = new RecordingStore();
    const one = stage({ plugin: "one", store, limits: { keyBytes: 8_192 } });
    const other = stage({ plugin: "other", store, limits: { keyBytes: 8_192 } });
    for (const [index, key] of HOSTILE_KEYS.entries()) {
      expect(await perform(one.broker, set("b", key, `one-${index}`))).toEqual({ kind: "none" });
      expect(store.operations.at(-1)?.address.key).toBe(key);
      expect(await perform(other.broker, get("b", key))).toEqual({ kind: "none" });
    }
    for (const [index, key] of HOSTILE_KEYS.entries())
      expect(textOf(await perform(one.broker, get("b", key)))).toBe(`one-${index}`);
  });

  test.each([
    ["empty", ""],
    ["of 1 MiB", "k".repeat(1024 * 1024)],
    ["one byte too long", "k".repeat(17)],
    ["short in characters and too long in bytes", "é".repeat(9)],
    ["a lone surrogate", "a\uD800"],
  ])("that are %s are invalid, and the store sees nothing", async (_, key) => {
    const { broker, store } = stage({ limits: { keyBytes: 16 } });
    expect(await perform(broker, get("b", key))).toEqual(errorLike("invalid-key"));
    expect(await perform(broker, set("b", key, "v"))).toEqual(errorLike("invalid-key"));
    expect(store.operations).toHaveLength(0);
  });

  test("of exactly the limit are allowed", async () => {
    const { broker } = stage({ limits: { keyBytes: 16 } });
    expect(await perform(broker, set("b", "é".repeat(8), "v"))).toEqual({ kind: "none" });
  });
});

describe("values", () => {
  test("may be empty, and differ from no value", async () => {
    const { broker } = stage();
    expect(await perform(broker, get("b", "k"))).toEqual({ kind: "none" });
    await perform(broker, set("b", "k", ""));
    expect(await perform(broker, get("b", "k"))).toMatchObject({ kind: "value", value: { length: 0 } });
  });

  test("beyond the limit are refused, and the store sees nothing", async () => {
    const { broker, store } = stage({ limits: { valueBytes: 4 } });
    expect(await perform(broker, set("b", "k", "12345"))).toEqual(errorLike("value-too-large"));
    expect(store.operations).toHaveLength(0);
    expect(await perform(broker, set("b", "k", "1234"))).toEqual({ kind: "none" });
  });

  test("that another plugin wrote beyond this one's limit are not handed out", async () => {
    const store = new RecordingStore();
    const buckets: BucketPolicy = { private: [], shared: new Map([["s" as BucketName, "s" as BucketName]]) };
    await perform(stage({ plugin: "wide", buckets, store }).broker, set("s", "k", "12345"));
    const { broker } = stage({ plugin: "narrow", buckets, store, limits: { valueBytes: 4 } });
    expect(await perform(broker, get("s", "k"))).toEqual(errorLike("value-too-large"));
  });
});

describe("a failing store", () => {
  test("is held against no plugin where the failure passes, and only then", async () => {
    const { broker, store } = stage();
    const [failed, refused, unexpected] = [contextWith(5_000), contextWith(5_000), contextWith(5_000)];
    await broker.perform(get("b", ""), refused);
    store.failWith("store-timeout");
    await broker.perform(get("b", "k"), failed);
    store.failWith(new TypeError("a bug"));
    await broker.perform(get("b", "k"), unexpected);
    expect([failed, refused, unexpected].map(({ isAfterOutage }) => isAfterOutage)).toEqual([true, false, false]);
  });

  test.each(["store-unavailable", "store-timeout", "store-outcome-unknown"] as const)(
    "%s reaches the plugin as code and table sentence, and the log with its cause",
    async (code) => {
      const { broker, store, storeErrors } = stage();
      store.failWith(code);
      const result = await perform(broker, set("b", "k", "v"));
      expect(result).toEqual({ kind: "error", message: `${code}: ${errorRow(code).summary}` });
      expect(JSON.stringify(result)).not.toMatch(/secret|db\.internal|mongodb:/);
      expect(storeErrors).toMatchObject([{ code, cause: expect.any(Error) }]);
    },
  );

  test("that throws something unknown is an internal error, and still no rejection", async () => {
    const { broker, store, storeErrors } = stage();
    store.failWith(new TypeError("mongodb://user:secret@host"));
    expect(await perform(broker, get("b", "k"))).toEqual({
      kind: "error",
      message: `internal: ${errorRow("internal").summary}`,
    });
    expect(storeErrors).toMatchObject([{ code: "internal" }]);
  });
});

describe("time", () => {
  test.each([
    [5_000, 4_900],
    [400, 300],
    [100, 75],
    [600_000, FIXED_LIMITS.storeOperationMs],
  ])("of a request with %i ms left gives the store %i ms", async (remainingMs, timeoutMs) => {
    const { broker, store } = stage();
    await broker.perform(get("b", "k"), contextWith(remainingMs));
    expect(store.operations).toMatchObject([{ timeoutMs }]);
  });

  test("that is left is always more than what the store gets", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: -10, max: 1_000_000, noNaN: true }), async (remainingMs) => {
        const { broker, store } = stage();
        await broker.perform(get("b", "k"), contextWith(remainingMs));
        for (const { timeoutMs } of store.operations) {
          expect(timeoutMs).toBeGreaterThan(0);
          expect(timeoutMs).toBeLessThan(remainingMs);
        }
      }),
    );
  });

  test("that is over fails the operation before the store sees it", async () => {
    const { broker, store } = stage();
    for (const remainingMs of [0, -1, 0.5])
      expect(await broker.perform(get("b", "k"), contextWith(remainingMs))).toEqual(errorLike("deadline-exceeded"));
    expect(store.operations).toHaveLength(0);
  });

  test("in the store is added up over a request, failures included", async () => {
    const { broker, store } = stage();
    const context = contextWith(5_000);
    const release = store.hold();
    const startedAt = performance.now();
    const pending = broker.perform(set("b", "k", "v"), context);
    setTimeout(release, 20);
    await pending;
    expect(context.storeMs).toBeGreaterThan(10);
    const first = context.storeMs;
    store.failWith("store-timeout");
    const releaseAgain = store.hold();
    const failing = broker.perform(get("b", "k"), context);
    setTimeout(releaseAgain, 20);
    await failing;
    expect(context.storeMs).toBeGreaterThan(first);
    expect(context.storeMs).toBeLessThanOrEqual(performance.now() - startedAt);
  });
});

describe("operations of one request", () => {
  test("come one at a time: a second one while the first hangs is refused, other requests go on", async () => {
    const { broker, store } = stage();
    const context = contextWith(5_000);
    const release = store.hold();
    const first = broker.perform(set("b", "k", "1"), context);
    expect(await broker.perform(set("b", "k", "2"), context)).toEqual(errorLike("overloaded"));
    expect(store.operations).toHaveLength(1);
    const neighbour = broker.perform(set("b", "other", "3"), contextWith(5_000));
    expect(store.operations).toHaveLength(2);
    release();
    expect(await Promise.all([first, neighbour])).toEqual([{ kind: "none" }, { kind: "none" }]);
    expect(await broker.perform(set("b", "k", "4"), context)).toEqual({ kind: "none" });
  });
});
