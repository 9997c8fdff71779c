import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { HostError } from "../../../src/errors/host-error.ts";
import { openSqliteStore } from "../../../src/kv/drivers/sqlite.ts";
import { SqliteThread } from "../../../src/kv/drivers/sqlite-thread.ts";
import type { KeyValueStore } from "../../../src/kv/store.ts";
import { keepOutput } from "../child-output.ts";
import { at, codeOf } from "./operations.ts";

const OPTIONS = { timeoutMs: 10_000 };
const VALUE = Buffer.from("v");
const LARGE_BYTES = 15 * 1024 * 1024;
const DYING = new URL("./dying-thread.ts", import.meta.url);

let folder = "";
let files = 0;
const newPath = (): string => join(folder, `${files++}.db`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "network-host-sqlite-thread-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Does anybody hold the lock that a write needs? */
function isBeingWritten(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
    return false;
  } catch (error) {
    expect(error).toMatchObject({ errcode: 5 });
    return true;
  }
}

/** A store whose threads are at hand; the first ones are of other programs where some are named. */
async function openWatched(
  path: string,
  programs: URL[] = [],
): Promise<{ store: KeyValueStore; threads: SqliteThread[] }> {
  const threads: SqliteThread[] = [];
  const store = await openSqliteStore({ path }, async (options) => {
    const thread = await SqliteThread.open(options, programs.shift());
    threads.push(thread);
    return thread;
  });
  return { store, threads };
}

describe("while the embedded store writes a value of 15 MiB", () => {
  test("this thread goes on: it sees the write in progress", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    using other = new DatabaseSync(path);
    // A busy machine may keep this thread from its turn for as long as one write takes, not for each of them.
    let seen = false;
    for (let write = 0; write < 50 && !seen; write += 1) {
      let state: "in flight" | "ended" = "in flight";
      const value = new Uint8Array(new SharedArrayBuffer(LARGE_BYTES)).fill(write);
      const ended = store.set(at("k"), value, OPTIONS).finally(() => (state = "ended"));
      while (!seen && state === "in flight") {
        await turn();
        seen = isBeingWritten(other);
      }
      await ended;
    }
    expect(seen).toBe(true);
  });
});

describe("a lock of another process", () => {
  test("that keeps writes waiting keeps no read waiting", async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    await store.set(at("k"), VALUE, OPTIONS);
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const order: string[] = [];
    const write = store.set(at("k"), Buffer.from("w"), OPTIONS).then(() => order.push("write"));
    for (let read = 0; read < 20; read += 1) {
      await store.get(at("k"), OPTIONS);
      order.push("read");
    }
    expect(order).toEqual(Array.from({ length: 20 }, () => "read"));
    other.exec("COMMIT");
    await write;
  });
});

describe("the end of the store's thread", () => {
  test("leaves open what happened to the writes that it had begun, and says that nothing was done of all others", async () => {
    const { store, threads } = await openWatched(newPath(), [DYING]);
    const outcomes = [
      store.set(at("waiting"), VALUE, OPTIONS),
      store.set(at("begun"), VALUE, OPTIONS),
      store.get(at("begun"), OPTIONS),
    ];
    expect(await Promise.all(outcomes.map(codeOf))).toEqual([
      "store-unavailable",
      "store-outcome-unknown",
      "store-unavailable",
    ]);
    await expect(outcomes[1]).rejects.toThrow("the disk is on fire");
    expect(threads[0]?.hasEnded).toBe(true);
    await store[Symbol.asyncDispose]();
    expect(threads).toHaveLength(1);
  });

  test("is seen where it is not an error, and ends a ping that waits", async () => {
    const { store } = await openWatched(newPath(), [DYING]);
    const ping = store.ping(OPTIONS);
    expect(await codeOf(store.get(at("stops"), OPTIONS))).toBe("store-unavailable");
    await expect(ping).rejects.toMatchObject({ code: "store-unavailable" });
    await store[Symbol.asyncDispose]();
  });

  test("is followed by another thread on the same file, one for all who need it", async () => {
    const path = newPath();
    const { store, threads } = await openWatched(path);
    await store.set(at("k"), VALUE, OPTIONS);
    await threads[0]?.destroy();
    const [value] = await Promise.all([
      store.get(at("k"), OPTIONS),
      store.ping(OPTIONS),
      store.set(at("other"), VALUE, OPTIONS),
    ]);
    expect(value).toEqual(new Uint8Array(VALUE));
    expect(threads).toHaveLength(2);
    await store[Symbol.asyncDispose]();
    expect(threads.map(({ hasEnded }) => hasEnded)).toEqual([true, true]);
  });

  test("fails operations and pings as long as no other one can be started", async () => {
    const threads: SqliteThread[] = [];
    const store = await openSqliteStore({ path: newPath() }, async (options) => {
      if (threads.length > 0) throw new HostError("usage-invalid", "no such folder");
      const thread = await SqliteThread.open(options);
      threads.push(thread);
      return thread;
    });
    await threads[0]?.destroy();
    expect(await codeOf(store.set(at("k"), VALUE, OPTIONS))).toBe("store-unavailable");
    await expect(store.get(at("k"), OPTIONS)).rejects.toThrow("no such folder");
    await expect(store.ping(OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
    await store[Symbol.asyncDispose]();
  });

  test("never makes a write untrue, whenever it comes: refused is not written, acknowledged is", async () => {
    const path = newPath();
    const { store, threads } = await openWatched(path);
    for (let round = 0; round < 6; round += 1) {
      const key = `k${round}`;
      const write = codeOf(store.set(at(key), new Uint8Array(1_000_000).fill(round), OPTIONS));
      for (let turns = 0; turns < round * 8; turns += 1) await turn();
      await threads.at(-1)?.destroy();
      const code = await write;
      const value = await store.get(at(key), OPTIONS);
      if (code === "done") expect(value?.length).toBe(1_000_000);
      else if (code === "store-unavailable") expect(value).toBeUndefined();
      else expect(code).toBe("store-outcome-unknown");
    }
    await store[Symbol.asyncDispose]();
  });

  test("before the database is open fails the opening", async () => {
    const program = new URL("./no-such-program.ts", import.meta.url);
    await expect(SqliteThread.open({ path: newPath(), batchOperations: 1 }, program)).rejects.toMatchObject({
      code: "store-unavailable",
    });
  });
});

describe("a store that is closed", () => {
  test("with operations in flight finishes them first", async () => {
    const path = newPath();
    const { store, threads } = await openWatched(path);
    const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);
    const writes = keys.map((key) => codeOf(store.set(at(key), VALUE, OPTIONS)));
    const large = codeOf(store.set(at("large"), new Uint8Array(LARGE_BYTES), OPTIONS));
    const reads = keys.map((key) => codeOf(store.get(at(key), OPTIONS)));
    await store[Symbol.asyncDispose]();
    expect(threads[0]?.hasEnded).toBe(true);
    expect(new Set(await Promise.all([...writes, large, ...reads]))).toEqual(new Set(["done"]));
    using other = new DatabaseSync(path);
    expect(other.prepare("SELECT count(*) AS count FROM entry").get()).toMatchObject({ count: 301 });
  });

  test.each([
    ["is closed", "await store[Symbol.asyncDispose]();"],
    ["is forgotten", ""],
  ])("or not: a process whose store %s ends by itself", async (_what, last) => {
    const module = new URL("../../../src/kv/drivers/sqlite.ts", import.meta.url).href;
    const program = `
      import { openSqliteStore } from ${JSON.stringify(module)};
      const store = await openSqliteStore({ path: ${JSON.stringify(newPath())} });
      const address = { namespace: { kind: "private", plugin: "p" }, bucket: "b", key: "k" };
      await store.set(address, Buffer.from("v"), { timeoutMs: 10_000 });
      await store.get(address, { timeoutMs: 10_000 });
      ${last}
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    keepOutput(child.stderr);
    onTestFinished(() => void child.kill());
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

test("values that were kept in memory are not said to be absent when their thread has ended", async () => {
  const { store, threads } = await openWatched(":memory:");
  await store.set(at("k"), VALUE, OPTIONS);
  await threads[0]?.destroy();
  expect(await codeOf(store.get(at("k"), OPTIONS))).toBe("store-unavailable");
  await expect(store.ping(OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
  await store[Symbol.asyncDispose]();
  expect(threads).toHaveLength(1);
});
