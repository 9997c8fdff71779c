import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readComponentFile } from "../../../src/registry/plugin-source.ts";

describe("a component's file", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "plugin-source-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("is read whole", async () => {
    const path = join(folder, "a.wasm");
    await writeFile(path, Buffer.alloc(100_000, 7));
    expect(await readComponentFile(path, 1_000_000)).toEqual(Buffer.alloc(100_000, 7));
  });

  test("of exactly the size that is allowed is read, one byte more is not", async () => {
    const path = join(folder, "a.wasm");
    await writeFile(path, Buffer.alloc(1_000));
    expect(await readComponentFile(path, 1_000)).toHaveLength(1_000);
    await expect(readComponentFile(path, 999)).rejects.toMatchObject({
      code: "component-rejected",
      message: expect.stringContaining("has 1000 bytes, at most 999 are allowed") as string,
    });
  });

  test("that is a named pipe, a folder or not there is refused by its path, and nothing waits for it", async () => {
    const pipe = join(folder, "pipe.wasm");
    execFileSync("mkfifo", [pipe]);
    for (const path of [pipe, folder, join(folder, "missing.wasm")]) {
      await expect(readComponentFile(path, 1_000_000)).rejects.toMatchObject({
        code: "component-unreadable",
        message: expect.stringContaining(path),
      });
    }
  });
});
