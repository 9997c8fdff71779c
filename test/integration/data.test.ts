import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import type { BucketName } from "../../src/contract/names.ts";
import { openMongoStore } from "../../src/kv/drivers/mongodb.ts";
import { openSqliteStore } from "../../src/kv/drivers/sqlite.ts";
import type { KeyAddress, KeyValueStore } from "../../src/kv/store.ts";
import { uniqueName } from "../harness/plugins.ts";
import { type Run, run } from "../unit/cli/run.ts";

const TIMEOUT = { timeoutMs: 30_000 };
const BINARY = Buffer.from([0, 255, 10, 13, 34]);

/** Values of a dropped plugin, of one whose name begins alike, of a shared bucket and of the host. */
const VALUES: readonly (readonly [KeyAddress, Uint8Array])[] = [
  [own("dropped", "users", "a/b \u0000 \u{1f600}"), BINARY],
  [own("dropped", "users", ""), Buffer.alloc(0)],
  [own("dropped", "blobs.v1", "large"), Buffer.alloc(900_000, "x")],
  [own("dropped-too", "users", "kept"), Buffer.from("kept")],
  [
    { namespace: { kind: "shared", name: "dropped" }, bucket: "dropped" as BucketName, key: "s" },
    Buffer.from("shared"),
  ],
  [own("(host)", "health", "last-write"), Buffer.from("now")],
];

function own(plugin: string, bucket: string, key: string): KeyAddress {
  return { namespace: { kind: "private", plugin }, bucket: bucket as BucketName, key };
}

describe.each(["mongodb", "sqlite"] as const)("the data in %s", (kind) => {
  let folder: string;
  let flags: readonly string[];
  let store: KeyValueStore;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "data-"));
    const path = join(folder, "store.sqlite");
    const url = new URL(inject("mongodbUrl"));
    url.pathname = `/${uniqueName("data")}`;
    flags = kind === "sqlite" ? ["--sqlite", path] : ["--store", url.href];
    // Open all the time, as a replica's is.
    store = kind === "sqlite" ? await openSqliteStore({ path }) : await openMongoStore({ url: url.href });
    await Promise.all(VALUES.map(([address, value]) => store.set(address, value, TIMEOUT)));
  });

  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const data = (verb: string, args: readonly string[], stdin = ""): Promise<Run> =>
    run(["data", verb, ...args, ...flags], { stdin });

  const read = async (address: KeyAddress): Promise<Buffer | undefined> => {
    const value = await store.get(address, TIMEOUT);
    return value === undefined ? undefined : Buffer.from(value);
  };

  test("is listed, also of plugins that nobody serves, but for the host's own", async () => {
    const { code, stdout } = await data("list", []);
    expect([code, stdout.trimEnd().split("\n").toSorted()]).toEqual([
      0,
      [
        "(shared) dropped  1 keys  6 bytes",
        "dropped blobs.v1  1 keys  900000 bytes",
        "dropped users  2 keys  5 bytes",
        "dropped-too users  1 keys  4 bytes",
      ],
    ]);
    expect(JSON.parse((await data("list", ["dropped", "--shared", "--json"])).stdout)).toEqual([
      { kind: "shared", name: "dropped", bucket: "dropped", keys: 1, bytes: 6 },
    ]);
  });

  test("is exported, removed when that is confirmed, and imported whole, and nobody else's is touched", async () => {
    const exported = await data("export", ["dropped"]);
    expect([exported.code, exported.stderr]).toEqual([0, "3 keys exported, 900005 bytes of values\n"]);
    const lines = exported.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(lines[0]).toEqual({ format: "network-host-data", version: 1, kind: "private", name: "dropped" });
    expect(lines).toContainEqual({ bucket: "users", key: "a/b \u0000 \u{1f600}", value: BINARY.toString("base64") });
    expect(lines.at(-1)).toEqual({ end: { keys: 3, bytes: 900_005 } });

    const unsure = await data("delete", ["dropped"]);
    expect(unsure.code).toBe(2);
    expect(unsure.stderr).toContain("dropped users  2 keys  5 bytes\n");
    expect(await read(own("dropped", "users", ""))).toEqual(Buffer.alloc(0));
    expect(await data("delete", ["dropped", "--yes"])).toMatchObject({ code: 0, stderr: "3 keys removed\n" });
    expect(await read(own("dropped", "users", ""))).toBeUndefined();
    expect(await data("list", ["dropped"])).toMatchObject({ code: 0, stdout: "", stderr: "no data is stored there\n" });

    const imported = await data("import", ["dropped"], exported.stdout);
    expect(imported).toMatchObject({ code: 0, stderr: "3 keys imported, 900005 bytes of values\n" });
    for (const [address, value] of VALUES) expect(await read(address)).toEqual(Buffer.from(value));
  });

  test("of a shared bucket goes into another one by that one's name", async () => {
    const exported = await data("export", ["dropped", "--shared"]);
    const name = uniqueName("renamed");
    expect((await data("import", [name, "--shared"], exported.stdout)).code).toBe(0);
    const renamed: KeyAddress = { namespace: { kind: "shared", name }, bucket: name as BucketName, key: "s" };
    expect(await read(renamed)).toEqual(Buffer.from("shared"));
    expect((await data("delete", [name, "--shared", "--yes"])).stderr).toBe("1 keys removed\n");
    expect(await read(renamed)).toBeUndefined();
  });

  test("is imported up to where an export is damaged, and it is told how much that is", async () => {
    const target = uniqueName("target");
    const lines = (await data("export", ["dropped-too"])).stdout.split("\n");
    const cutOff = await data("import", [target], lines.slice(0, 2).join("\n"));
    expect(cutOff.code).toBe(2);
    expect(cutOff.stderr).toContain("it was cut off: its last line is missing; 1 keys were imported and stay");
    const damaged = await data("import", [target], [lines[0], '{"bucket":"users","key":"k","value":"?"}'].join("\n"));
    expect(damaged.stderr).toContain("line 2 is not a line of an export; 0 keys were imported");
    expect(await read(own(target, "users", "k"))).toBeUndefined();
    const incomplete = await data("import", [target], [lines[0], lines[2]].join("\n"));
    expect([incomplete.code, incomplete.stderr]).toEqual([
      2,
      expect.stringContaining("it has 0 values, and says that it has 1"),
    ]);
    expect((await data("import", [target], "hello\n")).stderr).toContain("line 1 is not a line of an export");
    await data("delete", [target, "--yes"]);
  });
});

test("data of an SQLite file that does not exist is not looked for by making one", async () => {
  const { code, stderr } = await run(["data", "list", "--sqlite", join(tmpdir(), uniqueName("none"))]);
  expect(code).toBe(2);
  expect(stderr).toContain("does not exist");
});

test("a backup of an SQLite store is what SQLite copies: the file alone is empty", async () => {
  const folder = await mkdtemp(join(tmpdir(), "backup-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "store.sqlite");
  await using store = await openSqliteStore({ path });
  await store.set(own("saved", "users", "k"), BINARY, TIMEOUT);

  await copyFile(path, join(folder, "copy.sqlite"));
  expect((await run(["data", "list", "--sqlite", join(folder, "copy.sqlite")])).stdout).toBe("");

  const backup = join(folder, "backup.sqlite");
  using database = new DatabaseSync(path);
  database.exec(`VACUUM INTO '${backup}'`);
  await using restored = await openSqliteStore({ path: backup });
  expect(Buffer.from((await restored.get(own("saved", "users", "k"), TIMEOUT)) ?? [])).toEqual(BINARY);
});

test("a command on data without a name, or with an invalid one, is wrong usage and asks no store", async () => {
  const store = ["--store", "mongodb://127.0.0.1:1/"];
  expect(await run(["data", "export", ...store])).toMatchObject({ code: 2, stdout: "" });
  const wrong = await run(["data", "delete", "../x", "--yes", ...store]);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    'error usage-invalid: the argument "../x" is not a name of a plugin\n',
  ]);
  const missing = await run(["data", "import", "x", join(tmpdir(), uniqueName("none")), ...store]);
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("cannot be read: ENOENT")]);
  const folder = await run(["data", "import", "x", tmpdir(), "--sqlite", join(tmpdir(), uniqueName("none"))]);
  expect(folder.code).toBe(2);
  expect((await run(["data", "list", "--help"])).stdout).toContain("--shared");
});
