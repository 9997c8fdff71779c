import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readWitFiles } from "../../../src/cli/wit-files.ts";
import { run } from "./run.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "network-host-cli-wit-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("wit export", () => {
  test("writes the contract, the world of all that is linked, a README and the licence, and nothing else", async () => {
    const into = join(folder, "contract");
    const { code, stdout, stderr } = await run(["wit", "export", into]);
    expect([code, stdout]).toEqual([0, `${into}/wit: local:network-host@1.0.0, 38 files\n`]);
    expect(stderr).toContain(`git -C ${into} tag v1.0.0`);
    expect((await readdir(into)).sort()).toEqual(["LICENSE", "README.md", "wit"]);
    for (const [path, text] of await readWitFiles()) expect(await readFile(join(into, "wit", path), "utf8")).toBe(text);
    expect(await readFile(join(into, "wit/linked/plugin.wit"), "utf8")).toContain("world plugin {");
  });

  test("replaces an earlier export whole, and leaves what is not of it", async () => {
    await run(["wit", "export", folder]);
    for (const path of ["README.md", ".gitignore", "notes.txt", "wit/old.wit"])
      await writeFile(join(folder, path), "mine");
    const { code, stdout } = await run(["wit", "export", folder]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("over what was there")]);
    expect((await readdir(folder)).sort()).toEqual([".gitignore", "LICENSE", "README.md", "notes.txt", "wit"]);
    expect(await readFile(join(folder, "README.md"), "utf8")).toBe("mine");
    expect(await readdir(join(folder, "wit"))).not.toContain("old.wit");
  });

  test("refuses a folder of something else, and touches nothing in it", async () => {
    await mkdir(join(folder, "wit"));
    await writeFile(join(folder, "wit/world.wit"), "package some:other@1.0.0;\n");
    const other = await run(["wit", "export", folder]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("error usage-invalid: ")]);
    expect(await readdir(folder)).toEqual(["wit"]);
    await rm(join(folder, "wit"), { recursive: true });
    await writeFile(join(folder, "main.c"), "");
    expect((await run(["wit", "export", folder])).stderr).toContain("holds main.c and no contract");
    expect((await run(["wit", "export", join(folder, "main.c")])).code).toBe(2);
    expect(await readdir(folder)).toEqual(["main.c"]);
  });

  test("says that a folder cannot be made where its parent is missing or takes none", async () => {
    for (const path of [join(folder, "missing/contract"), "/proc/contract"]) {
      const { code, stderr } = await run(["wit", "export", path]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`error output-failed: ${path} could not be written`)]);
    }
  });
});
