import { EventEmitter } from "node:events";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { until } from "../../../scripts/lib/until.ts";
import { exists } from "../../../src/project/paths.ts";
import { putOnPath, writeFiles } from "../project/fake-tools.ts";
import { run, type Run } from "./run.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-build-"));
  await writeFiles(folder, {
    "go.mod": "module hello\nrequire network-host.example/networkplugin v1.0.0\n",
    "go.sum": "",
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

function build(...args: readonly string[]): Promise<Run> {
  return run(["build", folder, ...args], { env: { CACHE_DIR: join(folder, "cache") } });
}

describe("build", () => {
  test("makes the component, loads it, and says what it requests", async () => {
    await copyFile("test/components/gauntlet-write.wasm", join(folder, "made.wasm"));
    await putOnPath(folder, { go: "cp made.wasm plugin.wasm; echo 'warning: careful' >&2" });
    const { code, stdout, stderr } = await build();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^built {5}\S*plugin\.wasm, \d+ KB, from Go in [\d.]+ m?s\nrequests {2}key-value-write\n$/);
    expect(stderr).toBe("go tool network-plugin build\nwarning: careful\n");
    expect(JSON.parse((await build("--json")).stdout)).toMatchObject({
      ok: true,
      language: "go",
      plugin: "hello",
      component: join(folder, "plugin.wasm"),
      requested: ["key-value-write"],
      remarks: "warning: careful",
      error: null,
    });
  });

  test("shows what the tool says where it fails", async () => {
    await putOnPath(folder, { go: "echo './main.go:7:3: undefined: x' >&2; exit 1" });
    const { code, stdout, stderr } = await build();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^\.\/main\.go:7:3: undefined: x\nerror build-failed: go could not build the plugin$/m);
    expect(JSON.parse((await build("--json")).stdout)).toMatchObject({
      ok: false,
      error: { code: "build-failed", output: expect.stringContaining("main.go:7:3") },
    });
  });

  test("fails where the component cannot be loaded", async () => {
    await putOnPath(folder, { go: "echo something > plugin.wasm" });
    expect(await build()).toMatchObject({ code: 1, stderr: expect.stringContaining("error component-rejected") });
  });

  test("is ended by a signal, and its tool with it", async () => {
    await putOnPath(folder, { go: "touch begun; sleep 600" });
    const signals = new EventEmitter();
    const running = run(["build", folder], { env: { CACHE_DIR: join(folder, "cache") }, signals });
    await until(() => exists(join(folder, "begun")), { what: "the tool runs" });
    signals.emit("SIGINT", "SIGINT");
    expect((await running).stderr).toContain("error build-failed: ");
  });

  test("says that there is no project", async () => {
    await mkdir(join(folder, "empty"));
    const { code, stderr } = await run(["build", join(folder, "empty")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("is not a plugin's project")]);
  });
});
