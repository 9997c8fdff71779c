/** `network-host test` with real components: what it prints, and how it ends. */

import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { run as runCommand } from "../../../scripts/lib/command.ts";
import { COMPONENTS, projectFile } from "../../harness/plugins.ts";
import { run } from "./run.ts";

let folder = "";
let cache = "";

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "test-command-cache-"));
});
afterAll(() => rm(cache, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "test-command-"));
  await copyFile(COMPONENTS.gauntlet("all"), join(folder, "plugin.wasm"));
  return () => rm(folder, { recursive: true, force: true });
});

async function write(text: string, name = "a.test.yaml"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const HEAD = "component: plugin.wasm\nlimits: { deadlineMs: 30000 }\n";

/** What is said of the cases in `text`, without the folder's name. */
async function testCases(
  text: string,
  ...flags: readonly string[]
): Promise<{ readonly exitCode: number; readonly said: string }> {
  const path = await write(`${HEAD}${text}`);
  const { code: exitCode, stdout, stderr } = await run(["test", path, "--cache", cache, ...flags]);
  return { exitCode, said: `${stdout}${stderr}`.replaceAll(`${folder}/`, "") };
}

/** A figure of time is another one each time. */
function withoutTimes(text: string): string {
  return text.replaceAll(/\b\d+(?:\.\d)? m?s\b/g, "…").replaceAll(/ {2}…$/gm, "");
}

test("cases that pass are named, with the levels that they used and those that they did not", async () => {
  const { exitCode, said } = await testCases(`cases:
  - name: reads what is there
    keys: { users: { ada: lovelace } }
    request: { method: get, payload: "users\\nada" }
    expect: { status: 200, body: lovelace, keys: { users: { ada: lovelace } }, log: [] }
  - name: writes
    steps:
      - { request: { method: set, payload: "users\\nada\\nbyron" }, expect: { status: 200, keys: { users: { ada: byron } } } }
      - { request: { method: get, payload: "users\\nada" }, expect: { body: byron } }
  - name: logs
    request: { method: log, payload: hello }
    expect: { log: [hello, { contains: ell, level: warning }, { text: hello, level: error }], logIncludes: [{ matches: ^h, level: error }] }
`);
  expect(withoutTimes(said)).toBe(`a.test.yaml  plugin.wasm on the linker engine, loaded in …
  ok    reads what is there
  ok    writes
  ok    logs
  levels used: key-value-read 2 operations, key-value-write 1 operation
  never used: the plugin requests outbound-http, and no case used it

3 cases: 3 passed, in …
`);
  expect(exitCode).toBe(0);
});

describe("a case that fails says what differs, and in which line that is expected", () => {
  test.each([
    {
      what: "a body",
      steps: 'request: { method: echo, payload: "one\\ntwo\\nthree" }\n    expect: { body: "one\\n2\\nthree" }',
      said: [":6:15: the body differs", "    one", "  - 2", "  + two", "    three"],
    },
    {
      what: "a status, with the body that may say why",
      steps: "request: { method: echo, payload: why }\n    expect: { status: 201 }",
      said: [":6:15: the status differs", "  - 201", '  + 200, with the body "why"'],
    },
    {
      what: "an error that was not expected",
      steps: "request: { method: err }\n    expect: { status: 200 }",
      said: [":6:5: the request ended with plugin-error", '  + "the plugin says no"'],
    },
    {
      what: "an error's text",
      steps: "request: { method: err }\n    expect: { error: { code: plugin-error, text: { contains: yes } } }",
      said: [":6:15: the error's text differs", '  - a text that contains "yes"', '  + "the plugin says no"'],
    },
    {
      what: "an error that did not come",
      steps: "request: { method: echo }\n    expect: { error: plugin-error }",
      said: [":6:15: the plugin answered, where an error was expected", "  - plugin-error", '  + status 200, ""'],
    },
    {
      what: "keys",
      steps:
        'request: { method: set, payload: "users\\nada\\n1" }\n    expect: { keys: { users: { ada: "2", byron: "3" } } }',
      said: [
        ':6:32: the value of "ada" of the bucket users differs',
        '  - "2"',
        '  + "1"',
        ':6:42: the key "byron" of the bucket users is not there',
        '  - "3"',
      ],
    },
    {
      what: "a key too many",
      steps: 'request: { method: set, payload: "users\\nada\\n1" }\n    expect: { keys: { users: {} } }',
      said: [':6:23: the key "ada" of the bucket users is there, and was not expected', '  + "1"'],
    },
    {
      what: "the log",
      steps:
        "request: { method: log, payload: a }\n    expect: { log: [a, { text: b, level: info }, a], logIncludes: [c] }",
      said: [
        ":6:15: the log differs",
        "    info: a",
        "  - info: b",
        "  + warning: a",
        "    error: a",
        ":6:68: the log has no such line",
      ],
    },
    {
      what: "an HTTP request that the case does not have",
      steps:
        'http: [{ request: { url: "http://a.test/x" }, response: {} }]\n    request: { method: http, payload: "a.test\\n/y" }\n    expect: { error: plugin-error }',
      said: [
        ":5:5: the plugin sent an HTTP request that the case does not have",
        "  + GET http://a.test/y",
        ":5:12: the HTTP exchange GET http://a.test/x did not take place",
      ],
    },
    {
      what: "a fault that nothing met",
      steps: "store: [{ on: set, fail: store-unavailable }]\n    request: { method: echo }\n    expect: {}",
      said: [":5:13: no operation of the store met this fault"],
    },
    {
      what: "a step of several",
      steps:
        "steps:\n      - { request: { method: echo }, expect: { status: 200 } }\n      - { request: { method: echo }, expect: { status: 1 } }",
      said: [":7:48: step 2: the status differs"],
    },
  ])("$what", async ({ steps, said: expected }) => {
    const { exitCode, said } = await testCases(`cases:\n  - name: one\n    ${steps}\n`);
    const lines = said.split("\n").map((line) => line.trimEnd());
    for (const line of expected)
      expect(lines.map((each) => each.replace(/^ {8}(?:a\.test\.yaml)?/, ""))).toContain(line);
    expect(said).toContain("1 case: 0 passed, 1 failed");
    expect(exitCode).toBe(1);
  });

  test("a trap, with where it was", async () => {
    const { said } = await testCases("cases:\n  - { name: one, request: { method: trap }, expect: {} }\n");
    expect(said).toContain("the request ended with plugin-trapped");
    expect(said).toMatch(/ {12}RuntimeError: unreachable\n {12} {2}at /);
  });
});

test("stores and servers fail as a case says, and a deadline is kept", async () => {
  const { exitCode, said } = await testCases(`cases:
  - name: a read that gets no answer
    store: [{ on: get, fail: store-timeout }]
    request: { method: get, payload: "users\\nada" }
    expect: { error: { code: plugin-error, text: { contains: "store-timeout: " } } }
  - name: a store that is slower than the caller waits
    store: [{ delayMs: 60000 }]
    request: { method: get, payload: "users\\nada", timeoutMs: 1000 }
    expect: { error: { code: plugin-error, text: { contains: store-timeout } } }
  - name: a server that refuses connections
    http: [{ request: { url: "http://a.test/" }, fail: connection-refused }]
    request: { method: http, payload: "a.test\\n/" }
    expect: { error: { code: plugin-error, text: error-code 06 } }
  - name: computing beyond the time
    request: { method: loop, timeoutMs: 200 }
    expect: { error: deadline-exceeded }
  - name: the next request after that
    request: { method: echo, payload: a }
    expect: { body: a }
`);
  expect(said).toContain("5 cases: 5 passed");
  expect(exitCode).toBe(0);
});

test("the policy and the limits of the file hold", async () => {
  await write(
    "plugin: tried\nallow: [key-value-read, key-value-write, outbound-http]\nbuckets: { private: [users] }\nhosts: []\n",
    "tried.yaml",
  );
  const { said } = await testCases(`policy: tried.yaml
cases:
  - name: another bucket
    request: { method: get, payload: "others\\nada" }
    expect: { error: { code: plugin-error, text: { contains: access-denied } } }
  - name: a host that is not allowed
    request: { method: http, payload: "a.test\\n/" }
    expect: { error: { code: plugin-error, text: error-code 15 } }
`);
  expect(said).toContain("2 cases: 2 passed");
});

test("a plugin that the policy denies, or that cannot be loaded, is a failure", async () => {
  await write("plugin: tried\nallow: []\n", "tried.yaml");
  const one = "cases: [{ name: a, request: {}, expect: {} }]\n";
  const denied = await testCases(`policy: tried.yaml\n${one}`);
  expect(denied.said).toContain("denied: The plugin requests key-value-read, key-value-write, outbound-http");
  expect(denied.exitCode).toBe(1);
  await writeFile(join(folder, "plugin.wasm"), "no component");
  const broken = await testCases(one);
  expect(broken.said).toContain("FAIL  the plugin cannot be loaded\n        component-rejected: ");
  expect(broken.exitCode).toBe(1);
});

test("a file with mistakes is config-invalid, with the line of each", async () => {
  const { exitCode, said } = await testCases(
    "cases:\n  - { name: a, request: {} }\n  - { nam: b, request: {}, expect: {} }\n",
  );
  expect(said).toMatch(/^error config-invalid: a\.test\.yaml:4:5: cases\[0\]: .*\na\.test\.yaml:5:\d+: /);
  expect(exitCode).toBe(2);
});

test("--filter runs some cases, --engine the other engine, --json prints an object", async () => {
  const { exitCode, said } = await testCases(
    `cases:
  - { name: the first, request: { method: echo }, expect: { status: 1 } }
  - { name: the second, request: { method: echo }, expect: { status: 200 } }
`,
    "--filter",
    "second",
    "--engine",
    "jco",
    "--json",
  );
  expect(JSON.parse(said)).toMatchObject({
    ok: true,
    files: [
      { plugin: "plugin", engine: "jco", cases: [{ name: "the second", line: 5, ok: true }], skipped: 1, error: null },
    ],
  });
  expect(exitCode).toBe(0);
  const none = await testCases("cases: [{ name: a, request: {}, expect: {} }]\n", "--filter", "x");
  expect(none.said).toContain('error usage-invalid: --filter "x": no case has this text in its name');
});

/** As a parser of XML sees it that knows nothing of this project. */
const READ_XML = `
import json, sys, xml.etree.ElementTree as tree
def read(node): return [node.tag, node.attrib, (node.text or "").strip(), [read(child) for child in node]]
print(json.dumps(read(tree.parse(sys.argv[1]).getroot())))
`;

test("--junit writes XML that a parser reads, whatever a plugin says", async () => {
  const junit = join(folder, "out.xml");
  await testCases(
    `cases:
  - { name: 'a "quoted" <name> & more', request: { method: echo }, expect: { status: 200 } }
  - { name: differs, request: { method: echo, payload: { hex: "3c5d5d3e07261b" } }, expect: { body: "]]>" } }
  - { name: logs, request: { method: log, payload: <b> }, expect: { status: 1 } }
`,
    "--junit",
    junit,
  );
  const [tag, totals, , suites] = JSON.parse(
    await runCommand("python3", ["-c", READ_XML, junit], { timeoutMs: 60_000 }),
  ) as [
    string,
    Record<string, string>,
    string,
    [
      string,
      Record<string, string>,
      string,
      [string, Record<string, string>, string, [string, Record<string, string>, string][]][],
    ][],
  ];
  expect([tag, totals["tests"], totals["failures"], totals["errors"]]).toEqual(["testsuites", "3", "2", "0"]);
  const cases = suites[0]?.[3].filter(([name]) => name === "testcase") ?? [];
  expect(cases.map(([, { name }]) => name)).toEqual(['a "quoted" <name> & more', "differs", "logs"]);
  const [failure] = cases[1]?.[3] ?? [];
  expect(failure?.[1]).toEqual({ type: "mismatch", message: "the body differs" });
  expect(failure?.[2]).toMatch(/a\.test\.yaml:5:\d+: the body differs/);
  expect(cases[2]?.[3][1]).toEqual(["system-out", {}, "info: <b>\nwarning: <b>\nerror: <b>", []]);
});

test("--junit has each case that was left out as a skipped one, and counts it", async () => {
  const junit = join(folder, "left-out.xml");
  await testCases(
    `cases:
  - { name: wanted, request: { method: echo }, expect: { status: 200 } }
  - { name: other, request: { method: echo }, expect: { status: 200 } }
`,
    "--filter",
    "wanted",
    "--junit",
    junit,
  );
  const xml = await readFile(junit, "utf8");
  expect(xml).toMatch(/<testsuites [^>]*tests="2" failures="0" errors="0" skipped="1"/);
  expect(xml).toMatch(/<testsuite [^>]*tests="2" failures="0" errors="0" skipped="1"/);
  expect(xml).toMatch(/<testcase name="wanted" [^>]*\/>/);
  expect(xml).toMatch(/<testcase name="other" [^>]*><skipped message="it was not asked for"\/><\/testcase>/);
});

test("a case with each runs for every value, and says with which values it failed", async () => {
  const { exitCode, said } = await testCases(`cases:
  - name: adds nothing
    each: [{ word: { from: 1, to: 40 } }]
    request: { method: echo, payload: "\${word}" }
    expect: { body: "\${word}" }
  - name: knows one word
    each: [{ word: [a, b, c, d, e, f, g, h] }]
    request: { method: echo, payload: "\${word}" }
    expect: { body: b }
`);
  expect(withoutTimes(said)).toMatch(/^ {2}ok {4}adds nothing {2}40 runs/m);
  expect(withoutTimes(said)).toMatch(/^ {2}FAIL {2}knows one word {2}6 of 8 runs/m);
  for (const word of ["a", "c", "d", "e", "f"])
    expect(said).toContain(
      `a.test.yaml:11:15: with { word: "${word}" }: the body differs\n          - "b"\n          + "${word}"\n`,
    );
  expect(said).not.toContain('with { word: "b" }');
  expect(exitCode).toBe(1);
});

test("cases that are left out for a level are counted with the level", async () => {
  await copyFile(COMPONENTS.gauntlet("read"), join(folder, "plugin.wasm"));
  const { exitCode, said } = await testCases(`cases:
  - { name: one, keys: { b: { a: x } }, request: { method: get, payload: "b\\na" }, expect: { body: x } }
  - { name: two, needs: [key-value-read, outbound-http], request: {}, expect: {} }
  - { name: three, needs: [key-value-write, outbound-http], request: {}, expect: {} }
  - { name: four, needs: [outbound-http], request: {}, expect: {} }
`);
  expect(said).toContain("  left out: 2 cases that need outbound-http, which the component does not request\n");
  expect(said).toContain(
    "  left out: 1 case that needs key-value-write and outbound-http, which the component does not request\n",
  );
  expect(said).toContain("1 case: 1 passed, 3 left out");
  expect(exitCode).toBe(0);
});

test("--conformance passes for a plugin that has the contract's methods, and fails for one that has not", async () => {
  const flags = ["--cache", cache, "--conformance"];
  const good = await run(["test", ...flags, projectFile("test/components/conformance-c.wasm")]);
  expect(good.stdout).toMatch(/\b0 failed|\d+ cases: \d+ passed, in/);
  expect(good.code).toBe(0);
  const bad = await run(["test", ...flags, COMPONENTS.gauntlet("all")]);
  expect(bad.stdout).toContain("FAIL  a method's name may be any UTF-8");
  expect(bad.stdout).toContain("never used: the plugin requests outbound-http");
  expect(bad.code).toBe(1);
});

describe("--watch", () => {
  /** Starts it, and waits for texts in what it prints. */
  function watch(): AsyncDisposable & { until(text: string, times?: number): Promise<void> } {
    const child = spawn(process.execPath, [projectFile("src/main.ts"), "test", "--watch", "--cache", cache], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return {
      until: (text, times = 1) =>
        expect.poll(() => said.split(text).length - 1, { message: text }).toBeGreaterThanOrEqual(times),
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await ended;
      },
    };
  }

  test("runs again when a test file, a component or a new file comes, and survives mistakes", async () => {
    const file = (payload: string): string =>
      `${HEAD}cases:\n  - { name: one, request: { method: echo, payload: ${payload} }, expect: { body: good } }\n`;
    await write(file("bad"));
    await using watching = watch();
    await watching.until("1 case: 0 passed, 1 failed");
    await watching.until("waiting for changes", 1);
    await write(file("good"));
    await watching.until("changed: a.test.yaml");
    await watching.until("1 case: 1 passed");
    await watching.until("waiting for changes", 2);
    await write("cases: [\n");
    await watching.until("error config-invalid: a.test.yaml:");
    await watching.until("waiting for changes", 3);
    await write(file("good"));
    await watching.until("1 case: 1 passed", 2);
    await watching.until("waiting for changes", 4);
    await copyFile(COMPONENTS.echo, join(folder, "plugin.wasm"));
    await watching.until("changed: plugin.wasm");
    await watching.until("1 case: 1 passed", 3);
    await watching.until("waiting for changes", 5);
    await write(file("good"), "b.test.yaml");
    await watching.until("2 cases: 2 passed");
  });
});

test("no file, or what excludes each other, is wrong usage", async () => {
  expect(await run(["test", "--watch", "--json"])).toMatchObject({ code: 2 });
  const both = await run(["test", "a.test.yaml", "--conformance", "a.wasm"]);
  expect(both.stderr).toContain("--conformance names the component and has its own cases");
});
