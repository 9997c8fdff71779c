import { execFile } from "node:child_process";
import { glob, mkdtemp, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
beforeEach(async () => {
  // On the same disk as the build's own scratch folder, which is renamed.
  folder = await mkdtemp(resolve("node_modules/.test-build-"));
});
afterEach(() => rm(folder, { recursive: true }));

test(
  "what is built may be read by every user, whatever the umask of whoever builds it",
  { timeout: 120_000 },
  async () => {
    const dist = join(folder, "dist");
    const script = `import { buildHost } from ${JSON.stringify(resolve("scripts/build/host.ts"))}; await buildHost(process.argv[1]);`;
    const command = 'umask 077 && exec "$0" --input-type=module -e "$1" "$2"';
    await promisify(execFile)("sh", ["-c", command, process.execPath, script, dist]);
    const names = await Array.fromAsync(glob("**/*", { cwd: dist }));
    expect(names).toContain("runner/main.js");
    const modes = new Set<string>();
    for (const name of [".", ...names]) {
      const info = await stat(join(dist, name));
      modes.add(`${info.isDirectory() ? "folder" : "file"} ${(info.mode & 0o777).toString(8)}`);
    }
    expect(modes).toEqual(new Set(["folder 755", "file 644"]));
  },
);
