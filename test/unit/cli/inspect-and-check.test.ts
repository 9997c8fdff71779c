import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { p256Key } from "../../harness/signing.ts";
import { childrenOf } from "../../harness/processes.ts";
import { until } from "../../../scripts/lib/until.ts";
import { run, type Run } from "./run.ts";

const ECHO = "examples/echo-c/echo.wasm";
/** Requests key-value-write and nothing else. */
const WRITER = "test/components/gauntlet-write.wasm";
/** Traps in get-access-levels. */
const TRAP = "test/components/probe-trap.wasm";

let folder = "";
let policies = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inspect-"));
  policies = join(folder, "policy");
  await mkdir(policies);
  await writeFile(join(policies, "writer.yaml"), "plugin: writer\nallow: [key-value-write]\n");
  await writeFile(join(policies, "reader.yaml"), "plugin: reader\nallow: [key-value-read]\n");
});
afterAll(() => rm(folder, { recursive: true }));

/** All runs share one artifact cache: each component is compiled once. */
function runCached(args: readonly string[]): Promise<Run> {
  return run(args, { env: { CACHE_DIR: join(folder, "cache") } });
}

function inspect(...args: readonly string[]): Promise<Run> {
  return runCached(["inspect", ...args]);
}

/** A process below this one that executes a plugin; `undefined` while there is none. */
async function runnerUnder(pid: number): Promise<number | undefined> {
  for (const child of await childrenOf(pid)) {
    const command = await readFile(`/proc/${child}/cmdline`, "latin1").catch(() => "");
    if (/^[^\0]*node\0.*runner\/main/s.test(command)) return child;
  }
  return undefined;
}

async function consumerFile(name: string, plugins: Record<string, string>): Promise<string> {
  const entries = Object.entries(plugins).map(
    ([plugin, path]) => `  - { name: ${plugin}, component: ${resolve(path)} }`,
  );
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, `group: tests\nplugins:\n${entries.join("\n")}\n`);
  return file;
}

function check(file: string, ...args: readonly string[]): Promise<Run> {
  return runCached(["check", "--consumer", file, "--policy", policies, ...args]);
}

describe("inspect", () => {
  test("shows what a component is, imports, exports and requests, without a verdict", async () => {
    const bytes = await readFile(ECHO);
    const { code, stdout, stderr } = await inspect(ECHO);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toEqual([
      ECHO,
      "  plugin    echo",
      `  digest    sha256:${createHash("sha256").update(bytes).digest("hex")}`,
      `  size      ${bytes.length} bytes`,
      "  imports   local:network-host/types@1.0.0",
      "  exports   local:network-host/handler@1.0.0",
      "  engine    linker",
      "  loops     stopped alone at the deadline",
      "  state     put back after each request",
      "  changes   noted",
      "  requests  nothing",
      "",
      "  LEVEL            DECLARED  IMPORTED  GRANTED  USED",
      "  key-value-read   no        no        -        -",
      "  key-value-write  no        no        -        -",
      "  outbound-http    no        no        -        -",
      "",
      "  the smallest policy that would do",
      "    # yaml-language-server: $schema=../schemas/policy.schema.json",
      "    plugin: echo",
      "    allow: []",
      "",
    ]);
  });

  test.runIf(process.platform === "linux" && existsSync("/usr/bin/setpriv"))(
    "sandboxes the component that it inspects: nobody trusts it yet",
    async () => {
      const inspected = inspect("test/components/probe-loop.wasm");
      // It is killed before long: what is not read of it while it is there is not read at all.
      let [status, limits] = ["", ""];
      const look = async (): Promise<boolean> => {
        const runner = await runnerUnder(process.pid);
        const read = (file: string): Promise<string> => readFile(`/proc/${runner}/${file}`, "utf8").catch(() => "");
        [status, limits] = await Promise.all([read("status"), read("limits")]);
        return status !== "" && limits !== "";
      };
      await until(look, { what: "the component is asked for its levels" });
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      expect(limits).toMatch(/^Max file size +0 +0 /m);
      // Which of both depends on how much of a processor it had.
      expect((await inspected).stderr).toMatch(/probe-failed|load-failed/);
    },
  );

  test("says that a policy grants what is requested", async () => {
    const { code, stdout } = await inspect(WRITER, "--policy", policies, "--plugin", "writer");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ {2}requests {2}key-value-write\n {2}policy {4}revision [0-9a-f]{12}\n {2}verdict {3}granted$/m,
    );
  });

  test.each(["reader", "nobody"])("says what is missing in the policy of %s, and what to do", async (plugin) => {
    const { code, stdout } = await inspect(WRITER, "--policy", policies, "--plugin", plugin);
    expect(code).toBe(1);
    expect(stdout).toContain("verdict   denied: The plugin requests key-value-write, which the policy does not allow.");
    expect(stdout).toContain(`Add key-value-write to \`allow\` in the policy ${plugin}.yaml`);
  });

  test("prints the same facts as one object, with a verdict only under a policy", async () => {
    const facts = JSON.parse((await inspect(WRITER, "--json")).stdout) as Record<string, unknown>;
    expect(facts).toMatchObject({
      plugin: "gauntlet-write",
      component: resolve(WRITER),
      exports: ["local:network-host/handler@1.0.0"],
      engine: "linker",
      stopsLoopsAlone: true,
      requested: ["key-value-write"],
      error: null,
    });
    expect(facts).not.toHaveProperty("verdict");
    const { code, stdout } = await inspect(WRITER, "--json", "--policy", policies, "--plugin", "reader");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ...facts,
      smallestPolicy: expect.stringContaining("plugin: reader"),
      levels: expect.any(Array),
      plugin: "reader",
      verdict: "denied",
      missing: ["key-value-write"],
    });
  });

  const ASKING = `(alias export $clock "now" (func $now)) (core func $now (canon lower (func $now)))
    (core module $asking (import "clock" "now" (func $now (result i64))) (func $start (drop (call $now))) (start $start))
    (core instance (instantiate $asking (with "clock" (instance (export "now" (func $now))))))`;
  const FILLED = `(core module $filled (import "main" "memory" (memory 1)) (data (i32.const 64) "data"))
    (core instance (instantiate $filled (with "main" (instance $main))))`;

  test.each([
    [
      "put-back-or-started-again",
      "",
      ASKING,
      "put back after each request, and started again if its start reads a clock or random values",
    ],
    [
      "put-back-or-made-anew",
      "",
      `${ASKING} ${FILLED}`,
      "put back after each request, or made anew if its start reads a clock or random values",
    ],
    [
      "made-anew",
      "(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))",
      ASKING,
      "made anew for each request: its code changes a table",
    ],
  ])("says how an instance comes to a fresh state: %s", async (kind, coreBody, modules, text) => {
    const file = join(folder, `${kind}.wasm`);
    const clock = '(import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))';
    const insert = { imports: clock, "core-body": coreBody, exports: modules };
    await writeFile(file, await assemblePlugin({ insert }));
    const { stdout } = await inspect(file);
    expect(stdout).toContain(`\n  state     ${text}\n`);
    const reason = "its memory begins with 64 KiB, less than 128";
    const changes = { kind: "compared", reason };
    expect(stdout.includes(`\n  changes   all memory is compared: ${reason}\n`)).toBe(kind !== "made-anew");
    expect(JSON.parse((await inspect(file, "--json")).stdout)).toMatchObject({
      freshState: { kind, ...(kind === "made-anew" ? { reason: expect.any(String) as string } : { changes }) },
    });
  });

  test("shows the levels side by side: declared, imported, granted", async () => {
    const { stdout } = await inspect(WRITER, "--policy", policies, "--plugin", "writer");
    expect(stdout).toContain("  key-value-read   no        yes       no       -\n");
    expect(stdout).toContain("  key-value-write  yes       yes       yes      -\n");
    const { levels, replicas, smallestPolicy } = JSON.parse(
      (await inspect(WRITER, "--policy", policies, "--plugin", "reader", "--json")).stdout,
    ) as Record<string, unknown>;
    expect(levels).toContainEqual({ level: "key-value-write", declared: true, imported: true, granted: false });
    expect([replicas, smallestPolicy]).toEqual([null, expect.stringContaining("allow: [key-value-write]")]);
  });

  test("prints the smallest policy that lets a plugin run, which then does", async () => {
    const { code, stdout, stderr } = await inspect(WRITER, "--print-policy", "--plugin", "printed");
    expect([code, stderr]).toEqual([0, ""]);
    const dir = join(folder, "printed");
    await mkdir(dir);
    await writeFile(join(dir, "printed.yaml"), stdout);
    expect(await inspect(WRITER, "--policy", dir, "--plugin", "printed")).toMatchObject({ code: 0 });
  });

  test("says why a component cannot be loaded", async () => {
    const text = join(folder, "not-a-component.wasm");
    await writeFile(text, "hello");
    const rejected = await inspect(text);
    expect([rejected.code, rejected.stdout]).toEqual([1, ""]);
    expect(rejected.stderr).toMatch(/^error component-rejected: /);

    const missing = await inspect(join(folder, "missing.wasm"), "--json");
    expect([missing.code, missing.stderr]).toEqual([2, ""]);
    expect(JSON.parse(missing.stdout)).toMatchObject({
      digest: null,
      bytes: null,
      error: { code: "component-unreadable" },
    });

    const trapped = await inspect(TRAP);
    expect([trapped.code, trapped.stdout]).toEqual([1, ""]);
    expect(trapped.stderr).toMatch(/^error probe-failed: /);
  });

  test("refuses a name that no plugin can have, and a policy folder that cannot be read", async () => {
    const name = await inspect(ECHO, "--plugin", "Echo!");
    expect([name.code, name.stderr]).toEqual([2, expect.stringContaining('--plugin "Echo!": write words')]);
    const policy = await inspect(ECHO, "--policy", join(folder, "missing"));
    expect([policy.code, policy.stderr]).toEqual([2, expect.stringContaining("config-invalid")]);
  });
});

describe("check", () => {
  test("passes when every plugin would be served, and warns of policies that nobody uses", async () => {
    const { code, stdout, stderr } = await check(await consumerFile("good", { writer: WRITER, echo: ECHO }));
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "PLUGIN  VERDICT  REQUESTS         COMPONENT",
      `writer  granted  key-value-write  ${WRITER}`,
      `echo    granted  nothing          ${ECHO}`,
      "",
      "consumer group tests: 2 of 2 plugins would be served",
      "",
    ]);
    expect(stderr).toMatch(/^[^\n]*reader\.yaml:1:9: warning: no consumer names the plugin "reader"[^\n]*\n$/);
  });

  test("fails when one is denied or cannot be loaded, names each with the reason, and checks the others", async () => {
    const plugins = { reader: WRITER, trap: TRAP, missing: "missing.wasm", echo: ECHO };
    const file = await consumerFile("bad", plugins);
    const { code, stdout, stderr } = await check(file);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^reader {3}denied {3}key-value-write /m);
    expect(stdout).toMatch(/^trap {5}failed {3}unknown /m);
    expect(stdout).toMatch(/^echo {5}granted {2}nothing /m);
    expect(stdout).toContain("1 of 4 plugins would be served");
    expect(stderr).toMatch(/^reader: denied: The plugin requests key-value-write/m);
    expect(stderr).toMatch(/^trap: probe-failed: /m);
    expect(stderr).toMatch(/^missing: component-unreadable: /m);

    const json = await check(file, "--json");
    expect([json.code, json.stderr]).toEqual([1, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      group: "tests",
      error: null,
      plugins: [
        { plugin: "reader", verdict: "denied", missing: ["key-value-write"], error: null },
        { plugin: "trap", verdict: "failed", error: { code: "probe-failed" } },
        { plugin: "missing", verdict: "failed", error: { code: "component-unreadable" } },
        { plugin: "echo", verdict: "granted", requested: [] },
      ],
    });
  });

  test("ends with 2 when a file is invalid, with its place and what to write", async () => {
    const file = join(folder, "invalid.yaml");
    await writeFile(file, "grup: tests\n");
    const { code, stdout, stderr } = await check(file);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`${file}:1:1: unknown key "grup"; did you mean "group"?`);
    const json = await check(file, "--json");
    expect([json.code, json.stderr]).toEqual([2, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: "config-invalid" } });
  });

  describe("--explain", () => {
    async function explain(components: Record<string, string>, plugin: string, ...args: string[]) {
      return await check(await consumerFile(`explain-${plugin}`, components), "--explain", plugin, ...args);
    }

    test("says of a plugin that is served what every step found, and of no other plugin", async () => {
      const { code, stdout } = await explain({ writer: WRITER, trap: TRAP }, "writer");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^writer: granted\n {2}file {6}ok {2}\S+, \d+ bytes, sha256:[0-9a-f]{64}\n/);
      expect(stdout).toMatch(/^ {2}probe {5}ok {2}it requests key-value-write$/m);
      expect(stdout).toMatch(
        /^ {2}grant {5}ok {2}levels: key-value-write\n +private buckets: any; shared buckets: none\n/m,
      );
      expect(stdout).not.toContain("trap:");
    });

    test.each([
      ["reader", WRITER, "denied", "decision", "Add key-value-write to `allow` in the policy reader.yaml"],
      ["trap", TRAP, "failed", "probe", "get-access-levels must return constant flags"],
      ["missing", "missing.wasm", "failed", "file", "Check the path in the consumer file"],
    ])(
      "says of %s where it ends and what to do, and reaches nothing after it",
      async (name, path, state, step, advice) => {
        const { code, stdout } = await explain({ [name]: path }, name);
        expect(code).toBe(1);
        expect(stdout).toMatch(new RegExp(`^  ${step} +${state} `, "m"));
        expect(stdout).toContain(advice);
        expect(stdout).toMatch(/^ {2}grant +not reached$/m);
      },
    );

    test("says of a component that the gate refuses which rule it breaks", async () => {
      const path = join(folder, "gate.wasm");
      await writeFile(path, await assemblePlugin({ insert: { "core-body": "(memory i64 1)" } }));
      const { stdout } = await explain({ gated: path }, "gated");
      expect(stdout).toMatch(/^ {2}file +ok /m);
      expect(stdout).toMatch(/^ {2}gate +failed +component-rejected: 64-bit memory is not supported/m);
      expect(stdout).toMatch(/^ {2}compile +not reached$/m);
    });

    test.each([
      ["pinned", `digest: "sha256:${"0".repeat(64)}"`, "digest-not-allowed"],
      [
        "signed",
        `signedBy:\n  - |\n${p256Key().public.pem.replaceAll(/^(?=.)/gm, "    ")}`,
        "signature-needs-registry",
      ],
    ])("says of %s that the policy demands something of the component, before the gate", async (name, demand, code) => {
      await writeFile(join(policies, `${name}.yaml`), `plugin: ${name}\n${demand}\n`);
      const { stdout } = await explain({ [name]: WRITER }, name);
      expect(stdout).toMatch(/^ {2}file +ok +\S+, [1-9]\d* bytes, sha256:[0-9a-f]{64}$/m);
      expect(stdout).toMatch(new RegExp(`^  policy +failed +${code}: `, "m"));
      for (const step of ["gate", "compile", "start", "probe", "decision", "grant"])
        expect(stdout).toMatch(new RegExp(`^  ${step} +not reached$`, "m"));
    });

    test("says of a registry that gives nothing that there is no component, and claims no step", async () => {
      const host = "127.0.0.1:1";
      const file = join(folder, "explain-remote.yaml");
      await writeFile(file, `group: tests\nplugins:\n  - { name: remote, component: "oci://${host}/echo:1" }\n`);
      const { stdout } = await check(file, "--explain", "remote", "--registry-plain-http", host);
      expect(stdout).toMatch(/^ {2}file +failed +registry-unreachable: /m);
      expect(stdout).toMatch(/^ {2}policy +not reached$/m);
      expect(stdout).not.toMatch(/ ok\b/);
    });

    test("says of a file that is too large that it is not read", async () => {
      const path = join(folder, "large.wasm");
      await writeFile(path, Buffer.alloc(64 * 1024 + 1));
      const file = await consumerFile("explain-large", { large: path });
      await writeFile(file, `${await readFile(file, "utf8")}replica: { componentBytes: 64KiB }\n`);
      const { stdout } = await check(file, "--explain", "large");
      expect(stdout).toMatch(/^ {2}file +failed +component-rejected: /m);
    });

    test("prints the steps as JSON, too", async () => {
      const { stdout } = await explain({ trap: TRAP }, "trap", "--json");
      const { plugins } = JSON.parse(stdout) as { plugins: { steps: { step: string; state: string }[] }[] };
      expect(plugins).toHaveLength(1);
      expect(plugins[0]?.steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
        "file ok",
        "policy ok",
        "gate ok",
        "compile ok",
        "start ok",
        "probe failed",
        "decision not reached",
        "grant not reached",
      ]);
    });

    test("refuses a name that the consumer file does not have, and says which it has", async () => {
      const { code, stderr } = await explain({ writer: WRITER }, "nobody");
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('--explain "nobody": the consumer file names writer'),
      ]);
    });
  });
});
