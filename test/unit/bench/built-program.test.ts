import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildGoProgram } from "../../../bench/processes/built-program.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "built-"));
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, "sources"));
  await writeFile(join(folder, "sources/main.go"), "one");
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("PATH", join(folder, "bin"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A toolchain that writes what it was called with, or fails. */
async function installGo(script: string): Promise<void> {
  const path = join(folder, "bin/go");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

// go build -trimpath -o PATH .
const COMPILES = 'echo built >>../calls; echo program >"$4"; /bin/chmod +x "$4"';
const build = (lines: string[] = []) =>
  buildGoProgram("some", join(folder, "sources"), (line) => void lines.push(line));

test("without the toolchain there is no program, and the reason names it", async () => {
  expect(await build()).toEqual({ kind: "impossible", reason: "there is no go on PATH" });
});

test("a program is built once for the same sources", async () => {
  await installGo(COMPILES);
  const lines: string[] = [];
  const [first, second] = [await build(lines), await build(lines)];
  expect(second).toEqual(first);
  expect(first.kind).toBe("built");
  expect(lines).toEqual(["building some …"]);
  expect(await readFile(join(folder, "calls"), "utf8")).toBe("built\n");
});

test("what is built already needs no toolchain", async () => {
  await installGo(COMPILES);
  const first = await build();
  await rm(join(folder, "bin/go"));
  expect(await build()).toEqual(first);
});

test("other sources are another program", async () => {
  await installGo(COMPILES);
  const first = await build();
  await writeFile(join(folder, "sources/main.go"), "two");
  expect(await build()).not.toEqual(first);
});

test("a build that fails leaves nothing behind, and its output is the reason", async () => {
  await installGo("echo wrong >&2; exit 1");
  const built = await build();
  expect(built).toMatchObject({ kind: "impossible", reason: expect.stringContaining("wrong") });
  expect(await readdir(join(folder, "cache/network-host/bin"))).toEqual([]);
});
