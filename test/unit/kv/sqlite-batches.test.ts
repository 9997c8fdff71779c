import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { openSqliteStore } from "../../../src/kv/drivers/sqlite.ts";
import type { KeyValueStore } from "../../../src/kv/store.ts";
import { RegisterHistory, type Registers } from "../../conformance/kv/register-history.ts";
import { at, codeOf } from "./operations.ts";

/** All that an operation may have, for those that are not about time. */
const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };
const VALUE = Buffer.from("v");

let folder = "";
let files = 0;
const newPath = (): string => join(folder, `${files++}.db`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "network-host-sqlite-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What another connection sees. */
function keysIn(path: string): string[] {
  using database = new DatabaseSync(path);
  const rows = database.prepare("SELECT key FROM entry ORDER BY key").all();
  return rows.map(({ key }) => Buffer.from(key as Uint8Array).toString());
}

describe("a batch of the embedded store", () => {
  test("is one transaction: it writes each page once, not once for each value", async () => {
    const framesOf = async (batchOperations: number): Promise<number> => {
      const path = newPath();
      await using store = await openSqliteStore({ path, limits: { batchOperations } });
      const writes = Array.from({ length: 100 }, (_, index) => store.set(at(`k${index}`), VALUE, OPTIONS));
      await Promise.all(writes);
      expect(keysIn(path)).toHaveLength(100);
      using observer = new DatabaseSync(path);
      return Number(observer.prepare("PRAGMA wal_checkpoint").get()?.["log"]);
    };
    expect(await framesOf(1)).toBeGreaterThan(100);
    expect(await framesOf(100)).toBeLessThan(30);
  });

  test("with a value that does not fit fails that one alone", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path, maxBytes: 256 * 1024 });
    const outcomes = [
      store.set(at("one"), VALUE, OPTIONS),
      store.set(at("large"), new Uint8Array(512 * 1024), OPTIONS),
      store.set(at("two"), VALUE, OPTIONS),
    ].map(codeOf);
    expect(await Promise.all(outcomes)).toEqual(["done", "store-unavailable", "done"]);
    expect(keysIn(path)).toEqual(["one", "two"]);
  });

  test("of reads gives each its own: a value, nothing, or an error of its own", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    await store.set(at("there"), VALUE, OPTIONS);
    using other = new DatabaseSync(path);
    other.exec("PRAGMA ignore_check_constraints = ON; DROP TABLE entry");
    other.exec("CREATE TABLE entry (kind, namespace, bucket, key, value, PRIMARY KEY (kind, namespace, bucket, key))");
    const insert = other.prepare("INSERT INTO entry VALUES ('private', 'p', 'b', ?, ?)");
    insert.run(Buffer.from("there"), VALUE);
    insert.run(Buffer.from("foreign"), 7);
    const [there, absent, foreign] = await Promise.allSettled(
      ["there", "absent", "foreign"].map((key) => store.get(at(key), OPTIONS)),
    );
    expect(there).toMatchObject({ status: "fulfilled", value: new Uint8Array(VALUE) });
    expect(absent).toEqual({ status: "fulfilled", value: undefined });
    expect(foreign).toMatchObject({ status: "rejected", reason: { code: "store-unavailable" } });
  });

  test("that waits for another process's lock ends for each operation when its own time is over", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const patient = codeOf(store.set(at("patient"), VALUE, OPTIONS));
    const hasty = codeOf(store.set(at("hasty"), VALUE, { timeoutMs: 20 }));
    expect(await hasty).toBe("store-unavailable");
    other.exec("COMMIT");
    expect(await patient).toBe("done");
    expect(keysIn(path)).toEqual(["patient"]);
  });

  test("that waits for a lock writes what it was sent with: who waits no more than for the others may be told so", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const patient = codeOf(store.set(at("k"), Buffer.from("first"), OPTIONS));
    const hasty = codeOf(store.set(at("k"), Buffer.from("last"), { timeoutMs: 20 }));
    expect(await hasty).toBe("store-outcome-unknown");
    other.exec("COMMIT");
    expect(await patient).toBe("done");
    expect(await store.get(at("k"), OPTIONS)).toEqual(new Uint8Array(Buffer.from("last")));
  });

  test("takes and gives values of all sizes and kinds of memory, and leaves the writers theirs", async () => {
    await using store = await openSqliteStore({ path: newPath() });
    const sizes = [0, 1, 65_535, 65_536, 300_000, 1_500_000, 10];
    const values = sizes.flatMap((size, index) => [
      new Uint8Array(size).fill(index),
      new Uint8Array(new SharedArrayBuffer(size)).fill(100 + index),
      Buffer.from(new SharedArrayBuffer(size + 64), 32, size).fill(200 + index),
    ]);
    const keys = values.map((_, index) => `k${index}`);
    const before = values.map((value) => Buffer.from(value));
    await Promise.all(keys.map((key, index) => store.set(at(key), values[index] as Uint8Array, OPTIONS)));
    const read = await Promise.all([...keys, "absent"].map((key) => store.get(at(key), OPTIONS)));
    expect(read.pop()).toBeUndefined();
    for (const [index, value] of before.entries()) {
      expect(Buffer.compare(values[index] as Uint8Array, value), `written ${index}`).toBe(0);
      expect(Buffer.compare(read[index] as Uint8Array, value), `read ${index}`).toBe(0);
    }
  });
});

test("what clients of two stores on one file see is linearizable", async () => {
  const path = newPath();
  await using one = await openSqliteStore({ path });
  await using other = await openSqliteStore({ path });
  const registersOf = (store: KeyValueStore): Registers => ({
    get: async (key) => {
      const value = await store.get(at(key), OPTIONS);
      return value && Buffer.from(value).toString();
    },
    set: (key, value) => store.set(at(key), Buffer.from(value), OPTIONS),
  });
  const history = new RegisterHistory();
  const clients = Array.from({ length: 16 }, (_, client) => registersOf(client % 2 === 0 ? one : other));
  await history.run({ clients, keys: ["a", "b"], writes: 0.5, goesOn: () => history.successes < 2_000 });
  history.expectLinearizable();
  expect(Object.keys(history.outcomes)).toEqual(["ok"]);
});
