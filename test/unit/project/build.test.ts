import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { BuildOutcome } from "../../../src/project/language.ts";
import { findProject } from "../../../src/project/project.ts";
import { runTool, type ToolEnd } from "../../../src/project/tool.ts";
import { until } from "../../../scripts/lib/until.ts";
import { putOnPath, writeFiles } from "./fake-tools.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "build-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

interface Seen {
  readonly begun: string[];
  readonly lines: string[];
  readonly ends: ToolEnd[];
}

function watching(signal: AbortSignal = new AbortController().signal) {
  const seen: Seen = { begun: [], lines: [], ends: [] };
  const watch = {
    begun: (_title: string, line: string) => void seen.begun.push(line),
    line: (text: string) => void seen.lines.push(text),
    ended: (end: ToolEnd) => void seen.ends.push(end),
    signal,
  };
  return { watch, seen };
}

async function build(): Promise<{ readonly outcome: BuildOutcome; readonly seen: Seen }> {
  const { kit, name } = await findProject(folder);
  const { watch, seen } = watching();
  return { outcome: await kit.build({ folder, name, watch }), seen };
}

const CRATE = { "Cargo.toml": '[package]\nname = "hello"\n[dependencies]\nnetwork-plugin-api = "1"\n' };

function message(value: object): string {
  return `printf '%s\\n' '${JSON.stringify(value)}'`;
}

describe("cargo", () => {
  test("says where the component is, and what it warns of", async () => {
    await writeFiles(folder, CRATE);
    const warning = { reason: "compiler-message", message: { rendered: "warning: unused\n --> src/lib.rs:3:4\n" } };
    await putOnPath(folder, {
      cargo: [
        "echo not-json",
        message({ reason: "compiler-artifact", filenames: ["/t/libapi.rlib"] }),
        message(warning),
        message({ reason: "compiler-artifact", filenames: ["/t/hello.wasm"] }),
      ].join("\n"),
    });
    const { outcome, seen } = await build();
    expect(outcome).toEqual({
      kind: "built",
      component: "/t/hello.wasm",
      remarks: "warning: unused\n --> src/lib.rs:3:4",
    });
    expect(seen.begun).toEqual(["cargo build --release --target wasm32-wasip2 --message-format json"]);
    expect(seen.ends).toEqual(["done"]);
  });

  test("that fails is shown with file and line", async () => {
    await writeFiles(folder, CRATE);
    const error = { reason: "compiler-message", message: { rendered: "error[E0425]: no `x`\n --> src/lib.rs:7:9\n" } };
    await putOnPath(folder, { cargo: `${message(error)}\nexit 101` });
    expect((await build()).outcome).toMatchObject({
      kind: "failed",
      tool: "cargo",
      output: expect.stringContaining("src/lib.rs:7:9"),
    });
  });

  test("without the target is told how to get it", async () => {
    await writeFiles(folder, CRATE);
    await putOnPath(folder, { cargo: "echo 'note: the `wasm32-wasip2` target may not be installed' >&2; exit 101" });
    expect((await build()).outcome).toMatchObject({ advice: "run: rustup target add wasm32-wasip2" });
  });

  test("that is not installed is told how to install it", async () => {
    await writeFiles(folder, CRATE);
    vi.stubEnv("PATH", join(folder, "nothing"));
    await expect(build()).rejects.toMatchObject({
      code: "tool-missing",
      message: expect.stringContaining("https://rustup.rs"),
    });
  });

  test("that makes no component is told why", async () => {
    await writeFiles(folder, CRATE);
    await putOnPath(folder, { cargo: "true" });
    expect((await build()).outcome).toMatchObject({ kind: "failed", advice: expect.stringContaining("cdylib") });
  });
});

describe("npm packages", () => {
  test("are installed before the first build, and again only when the manifest changes", async () => {
    const manifest = (version: string) => `{"name":"t","devDependencies":{"network-plugin-api":"${version}"}}`;
    await writeFiles(folder, { "package.json": manifest("1.0.0") });
    const program = "require('fs').appendFileSync('plugin.wasm', '.')";
    const cli = "node_modules/network-plugin-api/dist";
    await putOnPath(folder, { npm: `mkdir -p ${cli}; echo "${program}" > ${cli}/cli.js; echo x >> installs` });
    expect((await build()).outcome).toMatchObject({ kind: "built", component: join(folder, "plugin.wasm") });
    await build();
    expect(await readFile(join(folder, "installs"), "utf8")).toBe("x\n");
    await writeFiles(folder, { "package.json": manifest("1.0.1") });
    await build();
    expect(await readFile(join(folder, "installs"), "utf8")).toBe("x\nx\n");
  });
});

describe("CMake", () => {
  test("is given the package's toolchain once, and its warnings are passed on without its steps", async () => {
    await writeFiles(folder, {
      "CMakeLists.txt": "add_network_plugin(hello plugin.c)\n",
      "sdk/network-plugin-api-c-1.0.0/cmake/zig.cmake": "",
    });
    await putOnPath(folder, {
      ninja: "true",
      cmake: `echo "$@" >> calls; mkdir -p build; touch build/CMakeCache.txt build/hello.wasm
        [ "$1" = --build ] && { echo "[1/2] Building"; echo "plugin.c:3:1: warning: unused"; echo "[2/2] Linking"; }; true`,
    });
    expect((await build()).outcome).toEqual({
      kind: "built",
      component: join(folder, "build/hello.wasm"),
      remarks: "plugin.c:3:1: warning: unused",
    });
    await build();
    const configure = "-B build -G Ninja -DCMAKE_TOOLCHAIN_FILE=sdk/network-plugin-api-c-1.0.0/cmake/zig.cmake";
    const calls = (await readFile(join(folder, "calls"), "utf8")).trim().split("\n");
    expect(calls).toEqual([configure, "--build build", "--build build"]);
  });
});

describe("a tool", () => {
  test("is ended with all that it has started", async () => {
    const stop = new AbortController();
    const { watch, seen } = watching(stop.signal);
    const script = "sleep 600 & echo $! started; wait";
    const running = runTool("sh", { command: "sh", args: ["-c", script], cwd: folder, install: "" }, watch);
    await until(() => seen.lines.length > 0, { what: "it has begun" });
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "build-failed", message: expect.stringContaining("ended") });
    const [pid = ""] = (seen.lines[0] ?? "").split(" ");
    await until(() => !isRunning(Number(pid)), { what: "its child has ended" });
    expect(seen.ends).toEqual(["stopped"]);
  });

  test.each(["has ended", "is ended"])(
    "that %s is not waited for because of what it left in a session of its own",
    async (how) => {
      const stop = new AbortController();
      const { watch, seen } = watching(stop.signal);
      const pid = (): number => Number((seen.lines[0] ?? "").split(" ")[0]);
      onTestFinished(() => {
        if (isRunning(pid())) process.kill(pid(), "SIGKILL");
      });
      const server = `const { pid } = require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: [0, 1, 2] });`;
      const script = `${server} console.log(pid + " started"); ${how === "has ended" ? "process.exit(0)" : ""}`;
      const run = { command: process.execPath, args: ["-e", script], cwd: folder, install: "" };
      const running = runTool("node", run, watch);
      await until(() => seen.lines.length > 0, { what: "it has begun" });
      if (how === "is ended") stop.abort();
      const outcome = await running.catch((error: unknown) => error);
      expect(outcome).toMatchObject(how === "has ended" ? { ok: true } : { code: "build-failed" });
      expect(isRunning(pid())).toBe(true);
    },
  );

  test("does not get the host's secrets, and all else", async () => {
    const secrets = [
      "NATS_PASSWORD",
      "NATS_NKEY_SEED",
      "MONGODB_URL",
      "SIGNING_KEY_PASSWORD",
      "SIGNING_KEY_PASSWORD_FILE",
    ];
    for (const name of [...secrets, "NETWORK_PLUGIN_CACHE"]) vi.stubEnv(name, "s3cret");
    const { watch } = watching();
    const run = { command: "env", args: [], cwd: folder, env: { OWN: "1" }, install: "" };
    const lines = (await runTool("env", run, watch)).stdout.split("\n");
    expect(lines.filter((line) => line.endsWith("=s3cret"))).toEqual(["NETWORK_PLUGIN_CACHE=s3cret"]);
    expect(lines).toContain("OWN=1");
    expect(lines).toContain(`PATH=${process.env["PATH"]}`);
  });

  test("keeps the end of much output, and its errors apart", async () => {
    const { watch } = watching();
    const script =
      "i=0; while [ $i -lt 70000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; i=$((i+1)); done; echo last; echo said >&2; exit 3";
    const result = await runTool("sh", { command: "sh", args: ["-c", script], cwd: folder, install: "" }, watch);
    expect(result).toMatchObject({ ok: false, stderr: "said\n" });
    expect(result.stdout.length).toBe(4 * 1024 * 1024);
    expect(result.stdout.endsWith("last\n")).toBe(true);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
