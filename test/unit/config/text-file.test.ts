import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeText, readTextFile } from "../../../src/config/text-file.ts";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";

const problem = (line: number, message: string): object => ({
  kind: "invalid",
  errors: [{ severity: "error", line, column: 1, message: expect.stringContaining(message) as string }],
});

describe("reading a configuration file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "network-host-text-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function read(content: string | Uint8Array): Promise<unknown> {
    const file = join(folder, "file.yaml");
    await writeFile(file, content);
    return readTextFile(file);
  }

  test("gives its text without a byte order mark", async () => {
    expect(await read("\uFEFFa: ä\n")).toEqual({
      kind: "valid",
      value: { text: "a: ä\n", digest: digestOf("\uFEFFa: ä\n") },
      warnings: [],
    });
    expect(await read("")).toEqual({ kind: "valid", value: { text: "", digest: digestOf("") }, warnings: [] });
  });

  test("refuses text that is not UTF-8 and names the line", async () => {
    const latin1 = Buffer.from("a: 1\nb: \xe4\nc: 2\n", "latin1");
    expect(await read(latin1)).toMatchObject(problem(2, "not UTF-8 in this line"));
    expect(decodeText("f", Buffer.from([0x61, 0xc3]))).toMatchObject(problem(1, "not UTF-8 in this line"));
  });

  test("takes a file of exactly the largest size and refuses one byte more", async () => {
    expect(await read("#".repeat(FIXED_LIMITS.configFileBytes))).toMatchObject({ kind: "valid" });
    expect(await read("#".repeat(FIXED_LIMITS.configFileBytes + 1))).toMatchObject(
      problem(1, "larger than 65536 bytes"),
    );
  });

  test("takes as much as the caller allows", async () => {
    const file = join(folder, "large.yaml");
    await writeFile(file, "#".repeat(FIXED_LIMITS.consumerFileBytes));
    expect(await readTextFile(file, FIXED_LIMITS.consumerFileBytes)).toMatchObject({ kind: "valid" });
    expect(await readTextFile(file, FIXED_LIMITS.consumerFileBytes - 1)).toMatchObject(problem(1, "larger than"));
  });

  test("refuses a folder, a device and a named pipe without waiting for them", async () => {
    const pipe = join(folder, "pipe.yaml");
    execFileSync("mkfifo", [pipe]);
    for (const path of [folder, "/dev/zero", pipe]) {
      expect(await readTextFile(path)).toMatchObject(problem(1, "not a regular file"));
    }
  });

  test("says why a file cannot be read", async () => {
    await writeFile(join(folder, "file.yaml"), "");
    expect(await readTextFile(join(folder, "none"))).toMatchObject(problem(1, "it does not exist"));
    expect(await readTextFile(join(folder, "file.yaml", "x"))).toMatchObject(problem(1, "is not a folder"));
    expect(await readTextFile("a\0b")).toMatchObject(problem(1, "cannot be read"));
  });
});
