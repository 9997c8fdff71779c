import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import { openSqliteStore } from "../../../src/kv/drivers/sqlite.ts";
import { classifySqliteError } from "../../../src/kv/drivers/sqlite-errors.ts";
import type { KeyAddress } from "../../../src/kv/store.ts";
import { describeKeyValueStore } from "../../conformance/kv/key-value-store.ts";
import { OwnTime } from "../../harness/clocks.ts";
import { keepOutput } from "../child-output.ts";

/** All that an operation may have, for those that are not about time. */
const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };
const ADDRESS: KeyAddress = {
  namespace: { kind: "private", plugin: "p" },
  bucket: "b" as BucketName,
  key: "k",
};

let folder = "";
let files = 0;
const newPath = (): string => join(folder, `${files++}.db`);

function startWriter(path: string, writer: number, writes: number): ReturnType<typeof fork> {
  const args = [path, String(writer), String(writes)];
  const child = fork(join(import.meta.dirname, "sqlite-writer.ts"), args, { silent: true });
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) keepOutput(stream);
  return child;
}

const failure = (errcode: number): Error => Object.assign(new Error("sqlite said so"), { errcode });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "network-host-sqlite-"));
});
afterAll(() => rm(folder, { recursive: true }));

describeKeyValueStore("SQLite in a file", {
  open: () => openSqliteStore({ path: join(folder, "conformance.db") }),
  handles: "same-data",
});

describeKeyValueStore("SQLite in a file, one operation at a time", {
  open: () => openSqliteStore({ path: join(folder, "conformance-plain.db"), limits: { batchOperations: 1 } }),
  handles: "same-data",
});

describeKeyValueStore("SQLite in memory", {
  open: () => openSqliteStore({ path: ":memory:" }),
  handles: "separate",
});

describe("the file of the embedded store", () => {
  test("can be read and written by its owner alone, and so can its log", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    await store.set(ADDRESS, Buffer.from("v"), OPTIONS);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect((await stat(file)).mode & 0o777, file).toBe(0o600);
  });

  test("is taken as a path even where it looks like a URI", async () => {
    const odd = join(folder, "file:odd.db?mode=memory");
    await using store = await openSqliteStore({ path: odd });
    await store.set(ADDRESS, Buffer.from("v"), OPTIONS);
    expect((await stat(odd)).isFile()).toBe(true);
  });

  test("is refused where its folder does not exist, and the message names it", async () => {
    const path = join(folder, "absent", "x.db");
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringContaining(path),
    });
  });

  test("is refused where it is a folder", async () => {
    const path = newPath();
    await mkdir(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: "usage-invalid" });
  });

  test("is refused and left as it is where it is not a database", async () => {
    const path = newPath();
    await writeFile(path, "just a text file, and a rather long one for a header of a hundred bytes".repeat(4));
    const before = await readFile(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: "usage-invalid" });
    expect(await readFile(path)).toEqual(before);
  });

  test("is refused and left as it is where it belongs to another application", async () => {
    const path = newPath();
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE theirs (id INTEGER)");
    other.close();
    const before = await readFile(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringContaining("another application"),
    });
    expect(await readFile(path)).toEqual(before);
  });

  test("is refused where it has a later schema version, and the message says what to do", async () => {
    const path = newPath();
    await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
    const later = new DatabaseSync(path);
    later.exec("PRAGMA user_version = 2");
    later.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringMatching(/schema version 2.*name another file/s),
    });
  });

  test("is refused where its table is missing", async () => {
    const path = newPath();
    await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
    const vandal = new DatabaseSync(path);
    vandal.exec("DROP TABLE entry");
    vandal.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: "store-unavailable" });
  });

  test("takes no more than maxBytes: a write beyond is refused and leaves the old value", async () => {
    await using store = await openSqliteStore({ path: newPath(), maxBytes: 256 * 1024 });
    await store.set(ADDRESS, Buffer.from("old"), OPTIONS);
    await expect(store.set(ADDRESS, new Uint8Array(512 * 1024), OPTIONS)).rejects.toMatchObject({
      code: "store-unavailable",
    });
    expect(Buffer.from((await store.get(ADDRESS, OPTIONS)) ?? []).toString()).toBe("old");
  });

  test("is refused where nobody may write, not even root", async () => {
    await expect(openSqliteStore({ path: "/proc/self/values.sqlite" })).rejects.toMatchObject({
      code: "usage-invalid",
    });
  });
});

describe("a database that another process has locked", () => {
  test("is waited for when it is opened", async () => {
    const path = newPath();
    await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
    const other = new DatabaseSync(path);
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    const opening = openSqliteStore({ path });
    expect(await Promise.race([opening.then(() => "opened"), pause(20, "timer")])).toBe("timer");
    other.exec("COMMIT");
    other.close();
    await using store = await opening;
    await store.ping(OPTIONS);
  });

  test("is waited for without holding the thread, then the write is done", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const write = store.set(ADDRESS, Buffer.from("v"), OPTIONS);
    const first = await Promise.race([write.then(() => "write"), pause(20, "timer")]);
    expect(first).toBe("timer");
    other.exec("COMMIT");
    await write;
    other.close();
    expect(await store.get(ADDRESS, OPTIONS)).toEqual(new Uint8Array(Buffer.from("v")));
  });

  test("still answers reads, and a write that never gets the lock says that nothing was written", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    await store.set(ADDRESS, Buffer.from("old"), OPTIONS);
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    using time = new OwnTime();
    await expect(store.set(ADDRESS, Buffer.from("new"), { timeoutMs: 60 })).rejects.toMatchObject({
      code: "store-unavailable",
    });
    expect(time.elapsedMs).toBeLessThan(1_000);
    expect(Buffer.from((await store.get(ADDRESS, OPTIONS)) ?? []).toString()).toBe("old");
    other.exec("ROLLBACK");
    other.close();
  });

  test("does not keep a store from closing for longer than the time of what waits", async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    using time = new OwnTime();
    const [write] = await Promise.allSettled([
      store.set(ADDRESS, Buffer.from("v"), { timeoutMs: 60 }),
      store[Symbol.asyncDispose](),
    ]);
    expect(write).toMatchObject({ status: "rejected", reason: { code: "store-unavailable" } });
    expect(time.elapsedMs).toBeLessThan(1_000);
    other.exec("ROLLBACK");
    other.close();
  });
});

describe("several processes that share one new file", () => {
  const WRITES = 60;

  test("create it once, and every acknowledged write is there", async () => {
    const path = newPath();
    const writers = [0, 1, 2].map((writer) => startWriter(path, writer, WRITES));
    const exits = await Promise.all(writers.map((writer) => once(writer, "exit")));
    expect(exits.map(([code]: unknown[]) => code)).toEqual([0, 0, 0]);
    await using store = await openSqliteStore({ path });
    for (const writer of [0, 1, 2]) {
      for (let write = 0; write < WRITES; write++) {
        const value = await store.get({ ...ADDRESS, key: `${writer}/${write}` }, OPTIONS);
        expect(value?.length, `${writer}/${write}`).toBe(1_000);
      }
    }
    const contended = await store.get({ ...ADDRESS, key: "contended" }, OPTIONS);
    expect(contended?.every((byte) => byte === contended[0])).toBe(true);
  });

  test("lose nothing that was acknowledged, and see no half value, when one is killed", async () => {
    const path = newPath();
    const acknowledged: number[] = [];
    const writer = startWriter(path, 0, 1_000_000);
    const enough = new Promise<void>((resolve) => {
      writer.on("message", (write) => {
        acknowledged.push(Number(write));
        if (acknowledged.length === 50) resolve();
      });
    });
    await enough;
    writer.kill("SIGKILL");
    await once(writer, "close");
    await using store = await openSqliteStore({ path });
    for (const write of acknowledged)
      expect((await store.get({ ...ADDRESS, key: `0/${write}` }, OPTIONS))?.length).toBe(1_000);
    const contended = await store.get({ ...ADDRESS, key: "contended" }, OPTIONS);
    expect(contended?.length).toBe(100_000);
    expect(contended?.every((byte) => byte === contended[0])).toBe(true);
  });
});

describe("errors of SQLite", () => {
  test.each([
    ["read", 5, "store-timeout"],
    ["write", 5, "store-unavailable"],
    ["write", 8, "store-unavailable"],
    ["write", 13, "store-unavailable"],
    ["write", 11, "store-unavailable"],
    ["read", 10, "store-unavailable"],
    ["write", 10, "store-outcome-unknown"],
    // Extended codes: SQLITE_IOERR_FSYNC, SQLITE_READONLY_DBMOVED, SQLITE_BUSY_SNAPSHOT.
    ["write", 1034, "store-outcome-unknown"],
    ["write", 1032, "store-unavailable"],
    ["read", 517, "store-timeout"],
  ] as const)("a %s that ends with result code %i is %s", (operation, errcode, code) => {
    expect(classifySqliteError(failure(errcode), operation).code).toBe(code);
  });

  test("a write that ends with something unknown may or may not have been done", () => {
    expect(classifySqliteError(new Error("?"), "write").code).toBe("store-outcome-unknown");
  });
});
