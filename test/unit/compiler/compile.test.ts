import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { describe, expect, test } from "vitest";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import type { ReportHeader } from "../../../src/compiler/report.ts";
import { encodeHeader } from "../../../src/compiler/report.ts";
import { digestOf } from "../../../src/contract/digest.ts";
import { compilerArguments } from "../../../src/supervisor/compilation/compile-flags.ts";
import { parseReport } from "../../../src/supervisor/compilation/compile-report.ts";
import { compileComponent, inspectComponent } from "../../../src/supervisor/compilation/compile.ts";
import { runCompiler } from "../../../src/supervisor/compilation/compiler-process.ts";
import { engineKey } from "../../../src/supervisor/compilation/engine-key.ts";
import { assemblePlugin, keyValueStoreImport, type PluginEdits } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { Impostor } from "../supervisor/impostor.ts";

/** Passes the gate and traps the transpiler: jco does not implement this encoding. */
function crashesTheTranspiler(): Promise<Uint8Array> {
  return assemblePlugin({
    replace: { "(memory $memory) (realloc": "string-encoding=latin1+utf16 (memory $memory) (realloc" },
  });
}

describe("compiling a component", () => {
  test.each([
    [
      "core code that is not well-typed",
      'core module 0 \\("main"\\)',
      { insert: { "core-body": "(func (result i32))" } },
    ],
    [
      "a function lifted as another type",
      "the component",
      {
        replace: { '(core func $main "get-access-levels")': '(core func $main "cabi_realloc")' },
      },
    ],
    [
      "a memory that is not one",
      "the component",
      { replace: { '(alias core export $main "memory"': '(alias core export $main "get-access-levels"' } },
    ],
  ] satisfies [string, string, PluginEdits][])(
    "is refused by the validator where a plan could be made all the same: %s",
    async (_, where, edits) => {
      const bytes = await assemblePlugin(edits);
      expect(planComponent(bytes).kind).toBe("planned");
      await expect(compileComponent(bytes)).rejects.toMatchObject({
        code: "compile-failed",
        message: expect.stringMatching(
          new RegExp(`^${where} c(?:annot|ould not) be compiled.*the compiler says: `),
        ) as string,
      });
    },
  );

  test("gives an artifact whose manifest describes it", async () => {
    const bytes = await assemblePlugin({ insert: { imports: keyValueStoreImport() } });
    const { manifest, files } = await compileComponent(bytes);
    expect(manifest).toMatchObject({
      digest: digestOf(bytes),
      componentBytes: bytes.length,
      engine: await engineKey(),
      entry: "component.js",
      link: {
        kind: "planned",
        plan: "component.plan.json",
        freshState: {
          kind: "put-back",
          changes: { kind: "compared", reason: "its memory begins with 64 KiB, less than 128" },
        },
      },
      coreModules: ["component.core.wasm"],
      imports: ["local:network-host/key-value-store@1.0.0"],
      exports: ["local:network-host/handler@1.0.0"],
      memories: 1,
    });
    expect(Object.keys(manifest.files).sort()).toEqual([
      "component.core.wasm",
      "component.js",
      "component.link0.wasm",
      "component.plan.json",
    ]);
    for (const [name, content] of files) expect(digestOf(content)).toBe(manifest.files[name]);
    const module = files.get("component.core.wasm");
    expect(() => new WebAssembly.Module(Buffer.from(module ?? []))).not.toThrow();
  });

  test("lists core modules in the order in which the generated code asks for them", async () => {
    const path = new URL("../../../examples/user-data-rust/user-data-rust.wasm", import.meta.url);
    const { manifest, files } = await compileComponent(readFileSync(path));
    const code = Buffer.from(files.get(manifest.entry) ?? []).toString("utf8");
    const asked = [...code.matchAll(/getCoreModule\('(component\.core[0-9]*\.wasm)'\)/g)].map((match) => match[1]);
    expect(manifest.coreModules).toEqual(asked);
  });

  test("is refused by the gate with the gate's message", async () => {
    const bytes = await assemblePlugin({ insert: { "core-body": "(memory i64 1)" } });
    await expect(compileComponent(bytes)).rejects.toMatchObject({
      code: "component-rejected",
      message: expect.stringContaining("64-bit memory is not supported"),
    });
  });

  test("that is not valid fails with the validator's message", async () => {
    const bytes = await assemblePlugin({ insert: { "core-body": "(func (result i32) i64.const 0)" } });
    await expect(compileComponent(bytes)).rejects.toMatchObject({
      code: "compile-failed",
      message: expect.stringContaining("type mismatch"),
    });
  });

  test("that crashes the transpiler fails, and the next one compiles", async () => {
    await expect(compileComponent(await crashesTheTranspiler())).rejects.toMatchObject({ code: "compile-failed" });
    await expect(compileComponent(await assemblePlugin())).resolves.toMatchObject({ manifest: { memories: 1 } });
  });

  test("can be cancelled, before and while it runs", async () => {
    const bytes = await assemblePlugin();
    await expect(compileComponent(bytes, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "load-failed",
    });
    const controller = new AbortController();
    const compiling = compileComponent(bytes, { signal: controller.signal });
    controller.abort();
    await expect(compiling).rejects.toMatchObject({ message: expect.stringContaining("cancelled") });
  });
});

describe("a run of the compiler", () => {
  test.runIf(process.platform === "linux").each([
    ["compile-failed", "ends at its time limit where it computes", "for (;;);"],
    ["resources-exhausted", "is waited for where it has no processor", "setInterval(() => {}, 1_000);"],
  ])("is %s: it %s", async (code, _, script) => {
    // Long enough that what Node computes at its start is little of it.
    const patienceMs = code === "compile-failed" ? 80_000 : 2_000;
    const options = { timeoutMs: 1_000, patienceMs, confinement: new Impostor(["-e", script]) };
    await expect(runCompiler("compile", new Uint8Array(0), options)).rejects.toMatchObject({ code });
  });

  test.each([
    [
      "resources-exhausted",
      "was ended from outside",
      'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1);',
    ],
    [
      "resources-exhausted",
      "had no thread to begin with",
      'console.error("uv_thread_create: EAGAIN"); process.abort();',
    ],
    ["compile-failed", "aborts", "process.abort();"],
    ["compile-failed", "ends without a word", "process.exit(1);"],
  ])("is %s where the process %s", async (code, _, script) => {
    const running = runCompiler("compile", new Uint8Array(0), { confinement: new Impostor(["-e", script]) });
    await expect(running).rejects.toMatchObject({ code });
  });

  test("ends at its output limit", async () => {
    const running = runCompiler("compile", await assemblePlugin(), { maxOutputBytes: 1_000 });
    await expect(running).rejects.toMatchObject({
      code: "compile-failed",
      message: expect.stringContaining("larger than 1000 bytes"),
    });
  });
});

test("inspecting passes a component through the gate only", async () => {
  expect(await inspectComponent(await crashesTheTranspiler())).toMatchObject({ coreModules: 1, memories: 1 });
  await expect(inspectComponent(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: "component-rejected" });
});

describe("the compiler's process", () => {
  test.runIf(process.platform === "linux")("goes behind what serves requests, with all that it starts", async () => {
    const script = `
      const { readdirSync, writeSync } = require("node:fs");
      const { getPriority } = require("node:os");
      const threads = readdirSync("/proc/self/task").map((thread) => getPriority(Number(thread)));
      writeSync(3, JSON.stringify([Math.min(...threads), threads.length]));`;
    const report = await runCompiler("compile", new Uint8Array(0), { confinement: new Impostor(["-e", script]) });
    const [highest, threads] = JSON.parse(report.toString()) as [number, number];
    expect(highest).toBe(Math.min(19, getPriority() + 5));
    expect(threads).toBeGreaterThan(1);
  });

  /** The flags, with a script in the place of the compiler. */
  function run(script: string): string {
    const flags = compilerArguments("compile").slice(0, -2);
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, "--input-type=module", "--eval", script], {
      env: {},
    });
    return stdout.toString() + stderr.toString();
  }

  test.each([
    ["read a file elsewhere", "import { readFileSync } from 'node:fs'; readFileSync('/etc/hostname');"],
    [
      "write a file",
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(`${import.meta.dirname}/x`)}, '');`,
    ],
    ["start a process", "import { spawnSync } from 'node:child_process'; spawnSync('true');"],
    ["start a worker", "import { Worker } from 'node:worker_threads'; new Worker('', { eval: true });"],
    [
      "open a connection",
      "import { connect } from 'node:net'; connect(9, '127.0.0.1').on('error', (e) => console.log(e.code));",
    ],
  ])("may not %s", (_what, script) => {
    expect(run(script)).toContain("ERR_ACCESS_DENIED");
  });

  test("may not make code of strings, and has no environment", () => {
    expect(run("eval('1')")).toContain("Code generation from strings disallowed");
    expect(run("console.log(JSON.stringify(Object.keys(process.env)))").trim()).toBe("[]");
  });
});

describe("the compiler's report", () => {
  const summary = {
    componentBytes: 1,
    imports: [],
    exports: [],
    coreModules: 1,
    memories: 1,
    initialMemoryBytes: 0,
    tables: 0,
    makesObjects: false,
  };

  const link = { kind: "refused", reason: "for a test" };

  function report(header: unknown, body = ""): Buffer {
    return Buffer.concat([encodeHeader(header as ReportHeader), Buffer.from(body)]);
  }

  const file = { name: "component.js", bytes: 2 };

  /** Of a component with a plan and one file, which should be the plan. */
  function planReport(freshState: unknown, only: unknown = { name: "component.plan.json", bytes: 2 }): Buffer {
    const link = { kind: "planned", plan: "component.plan.json", freshState };
    return report({ kind: "compiled", summary, link, files: [only] }, "aa");
  }

  test("is taken apart into its files", () => {
    const files = [
      { name: "component.js", bytes: 2 },
      { name: "component.core.wasm", bytes: 3 },
    ];
    const parsed = parseReport(report({ kind: "compiled", summary, link, files }, "ababc"));
    expect([...parsed.files].map(([name, content]) => [name, Buffer.from(content).toString()])).toEqual([
      ["component.js", "ab"],
      ["component.core.wasm", "abc"],
    ]);
  });

  test("has the plan that it names", () => {
    const freshState = { kind: "put-back", changes: { kind: "noted" } };
    expect(parseReport(planReport(freshState)).header).toMatchObject({ link: { kind: "planned", freshState } });
  });

  test("of a refusal becomes the error", () => {
    const error = refusalOf(() => parseReport(report({ kind: "refused", code: "component-rejected", message: "no" })));
    expect([error.code, error.message]).toEqual(["component-rejected", "no"]);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["a header that is cut short", encodeHeader({ kind: "inspected", summary }).subarray(0, 20)],
    ["a header that is too long", Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ["no JSON", Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from("{]")])],
    ["an unknown kind", report({ kind: "done" })],
    ["an unknown field", report({ kind: "inspected", summary, extra: 1 })],
    ["another error code", report({ kind: "refused", code: "internal", message: "" })],
    [
      "a file name with a path",
      report({ kind: "compiled", summary, link, files: [{ name: "../component.js", bytes: 0 }] }),
    ],
    ["an unexpected file", report({ kind: "compiled", summary, link, files: [{ name: "package.json", bytes: 0 }] })],
    ["a plan that is not among the files", planReport({ kind: "put-back", changes: { kind: "noted" } }, file)],
    ["a fresh state that there is not", planReport({ kind: "kept", changes: { kind: "noted" } })],
    ["changes found in a way that there is not", planReport({ kind: "put-back", changes: { kind: "skipped" } })],
    ["a file twice", report({ kind: "compiled", summary, link, files: [file, file] }, "aaaa")],
    ["a file that is cut short", report({ kind: "compiled", summary, link, files: [file] }, "a")],
    ["bytes behind the last file", report({ kind: "compiled", summary, link, files: [file] }, "aaa")],
  ])("with %s is refused", (_what, bytes) => {
    expect(refusalOf(() => parseReport(bytes)).code).toBe("compile-failed");
  });
});
