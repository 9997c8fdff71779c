import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import type { TestDocument } from "../../../src/config/test-case.ts";
import { parseTestData, parseTests } from "../../../src/config/test-document.ts";
import type { ReadNamedFile } from "../../../src/config/test-values.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";

const NO_FILES: ReadNamedFile = (path) => `name a file that can be read (${path})`;

function parse(text: string, read: ReadNamedFile = NO_FILES): TestDocument {
  const parsed = parseTests(text, "a.test.yaml", read);
  if (parsed.kind === "invalid") throw new Error(parsed.errors.map(formatDiagnostic).join("\n"));
  return parsed.value;
}

function problems(text: string): string[] {
  const parsed = parseTests(text, "a.test.yaml", NO_FILES);
  return parsed.kind === "valid" ? [] : parsed.errors.map(formatDiagnostic);
}

/** A case of one request with this payload. */
function payload(written: string, read?: ReadNamedFile): string {
  const { cases } = parse(`cases:\n  - { name: one, request: { payload: ${written} }, expect: {} }\n`, read);
  return Buffer.from(cases[0]?.runs[0]?.steps[0]?.request.payload ?? []).toString("latin1");
}

test("a file with everything is read, with the places of its parts", () => {
  const { component, plugin, policy, limits, cases } = parse(`component: a.wasm
plugin: a
policy: policy/a.yaml
limits: { deadlineMs: 500, valueBytes: 2MiB }
cases:
  - name: one
    needs: [key-value-read]
    keys: { users: { ada: lovelace } }
    store: [{ on: get, bucket: users, key: ada, skip: 1, times: 2, fail: store-timeout }, { delayMs: 5 }]
    http:
      - request: { method: POST, url: "http://a.test/", headers: { X-A: { contains: b } }, body: { json: { a: 1 } } }
        response: { status: 201, headers: { etag: x }, chunks: [a, b], fail: connection-terminated }
        delayMs: 3
        times: 2
    steps:
      - request: { method: get, payload: x, id: i, timeoutMs: 9 }
        expect: { status: 200, body: { matches: ^a }, keys: { users: {} }, log: [a], logIncludes: [{ contains: b, level: error }] }
      - request: {}
        expect: { error: { code: plugin-error, text: no } }
`);
  expect([component, plugin, policy, limits]).toEqual([
    "a.wasm",
    "a",
    "policy/a.yaml",
    { deadlineMs: 500, valueBytes: 2 ** 21 },
  ]);
  const [one] = cases;
  const run = one?.runs[0];
  expect(one?.needs).toEqual(["key-value-read"]);
  expect(run?.scene.keys.get("users" as never)?.get("ada")).toEqual(Buffer.from("lovelace"));
  expect(run?.scene.faults).toMatchObject([
    { on: "get", key: "ada", skip: 1, times: 2, fail: "store-timeout", delayMs: 0 },
    { on: "any", bucket: undefined, skip: 0, times: undefined, fail: undefined, delayMs: 5 },
  ]);
  expect(run?.scene.exchanges).toMatchObject([
    {
      request: { method: "POST", body: { kind: "json", value: { a: 1 } } },
      delayMs: 3,
      times: 2,
      outcome: { status: 201, headers: [["etag", "x"]], failure: "connection-terminated" },
    },
  ]);
  expect(run?.scene.exchanges[0]?.request.headers.get("x-a")).toEqual({ kind: "contains", text: "b" });
  expect(run?.steps.map(({ request }) => [request.method, request.id, request.timeoutMs])).toEqual([
    ["get", "i", 9],
    [undefined, undefined, undefined],
  ]);
  expect(run?.steps[0]?.at(["expect", "body"])).toEqual({ line: 17, column: 32 });
  expect(run?.steps[1]?.expect.error).toEqual({ code: "plugin-error", text: { kind: "text", text: "no" } });
  expect(one?.position).toEqual({ line: 6, column: 5 });
});

describe("a value", () => {
  test.each([
    ["plain", "plain"],
    ["{ text: plain }", "plain"],
    ['{ json: { a: [1, null, "x"] } }', '{"a":[1,null,"x"]}'],
    ["{ base64: AAH/ }", "\u0000\u0001\u00ff"],
    ['{ hex: "00ff" }', "\u0000\u00ff"],
    ["{ size: 3 }", "xxx"],
    ["{ size: 2, fill: y }", "yy"],
    ['{ parts: [a, { size: 2, fill: "-" }, { parts: [b, c] }] }', "a--bc"],
  ])("of %s", (written, bytes) => {
    expect(payload(written)).toBe(bytes);
  });

  test("is what a file holds that it names", () => {
    expect(payload("{ file: data/a.bin }", (path) => Buffer.from(`<${path}>`))).toBe("<data/a.bin>");
  });

  test("of exactly the largest size is taken, and one byte more is not", () => {
    const of = (size: number): string => `cases: [{ name: a, request: { payload: { size: ${size} } }, expect: {} }]`;
    expect(problems(of(FIXED_LIMITS.testValueBytes))).toEqual([]);
    expect(problems(of(FIXED_LIMITS.testValueBytes + 1)).join()).toContain(
      `at most ${FIXED_LIMITS.testValueBytes} bytes`,
    );
    const half = FIXED_LIMITS.testValueBytes / 2;
    const parts = `{ parts: [{ size: ${half} }, { size: ${half} }, x] }`;
    expect(problems(`cases: [{ name: a, request: { payload: ${parts} }, expect: {} }]`).join()).toContain("at most");
  });
});

describe("a mistake is told with its place and what to write instead", () => {
  const request = "request: {}";
  test.each([
    ["", "1:1: not valid"],
    ["cases: []", "1:8: cases: a list cannot be used; write at least one case"],
    [`cases: [{ name: a, ${request} }]`, "1:9: cases[0]: a map cannot be used; write `expect:`"],
    [
      "cases: [{ name: a, expect: {} }]",
      "1:9: cases[0]: a map cannot be used; write `request:`, or `steps:` for several",
    ],
    [
      `cases: [{ name: a, ${request}, expects: {} }]`,
      '1:33: unknown key "expects" in cases[0]; did you mean "expect"?',
    ],
    [`cases: [{ name: a, ${request}, expect: { staus: 1 } }]`, 'did you mean "status"?'],
    [`cases: [{ name: a, ${request}, expect: { status: 65536 } }]`, "write a status, 0 to 65535"],
    [
      `cases: [{ name: a, ${request}, expect: { body: 5 } }]`,
      "cases[0].expect.body: 5 cannot be used; write a text (a number in quotes)",
    ],
    [
      `cases: [{ name: a, ${request}, expect: { body: { text: a, hex: "00" } } }]`,
      "write a text (a number in quotes), or one of",
    ],
    [
      `cases: [{ name: a, ${request}, expect: { body: { matches: "(" } } }]`,
      "write a regular expression of JavaScript",
    ],
    [`cases: [{ name: a, ${request}, expect: { error: plugin-eror } }]`, 'did you mean "plugin-error"?'],
    [`cases: [{ name: a, ${request}, expect: { error: denied, status: 1 } }]`, "a reply with an error has none"],
    [`cases: [{ name: a, request: { payload: { fill: x, text: a } }, expect: {} }]`, "it needs `size` beside it"],
    [`cases: [{ name: a, request: { payload: { file: gone } }, expect: {} }]`, "name a file that can be read (gone)"],
    [`cases: [{ name: a, store: [{ on: get }], ${request}, expect: {} }]`, "write what happens: `fail:` or `delayMs:`"],
    [`cases: [{ name: a, store: [{ fail: store-timeout }], ${request}, expect: {} }]`, "write `on: get` beside it"],
    [`cases: [{ name: a, http: [{ request: { url: a.test } }], ${request}, expect: {} }]`, "write an absolute URL"],
    [
      `cases: [{ name: a, http: [{ request: { url: "http://a.test" } }], ${request}, expect: {} }]`,
      "write one of `response:` and `fail:`",
    ],
    [
      `cases: [{ name: a, http: [{ request: { url: "http://a.test" }, fail: refused }], ${request}, expect: {} }]`,
      "write an error of wasi:http",
    ],
    [`cases: [{ name: a, steps: [{ ${request}, expect: {} }], ${request}, expect: {} }]`, "it belongs into a step"],
    [`cases: [{ name: a, ${request}, expect: {} }, { name: a, ${request}, expect: {} }]`, "it is in the list twice"],
    [
      `cases: [{ name: a, keys: { "no bucket": {} }, ${request}, expect: {} }]`,
      "the key cannot be used; write a bucket's name",
    ],
  ])("%s", (text, expected) => {
    if (text === "") expect(problems(text).join()).toContain("a.test.yaml:1:1: ");
    else expect(problems(text).join("\n")).toContain(expected);
  });
});

describe("a case with each", () => {
  function runs(each: string, rest = 'request: { payload: "${a}" }, expect: {}'): (string | undefined)[][] {
    const { cases } = parse(`cases: [{ name: one, each: ${each}, ${rest} }]`);
    return (cases[0]?.runs ?? []).map(({ values, steps }) => [
      values,
      Buffer.from(steps[0]?.request.payload ?? []).toString(),
    ]);
  }

  test("runs once for each value, which is in its texts", () => {
    expect(
      runs("[{ a: x }, { a: [true, 2.5] }, { a: { from: 3, to: 8, step: 2 } }, { a: { from: -1, to: 0 } }]"),
    ).toEqual([
      ['{ a: "x" }', "x"],
      ["{ a: true }", "true"],
      ["{ a: 2.5 }", "2.5"],
      ["{ a: 3 }", "3"],
      ["{ a: 5 }", "5"],
      ["{ a: 7 }", "7"],
      ["{ a: -1 }", "-1"],
      ["{ a: 0 }", "0"],
    ]);
  });

  test("of several values of several variables runs for every combination", () => {
    const rest = 'request: { payload: "${a}${b}$b${ b }" }, expect: {}';
    expect(runs("[{ a: [1, 2], b: { from: 3, to: 4 } }, { b: 6, a: 5 }]", rest).map(([, payload]) => payload)).toEqual([
      "13$b${ b }",
      "14$b${ b }",
      "23$b${ b }",
      "24$b${ b }",
      "56$b${ b }",
    ]);
  });

  test("has its values in every part but the name, as numbers where a number is wanted", () => {
    const { cases } = parse(`cases:
  - name: "\${n}"
    each: [{ n: 7, t: x }]
    keys: { json: { "\${t}": "\${n}", keys: { json: ["\${n}", "\${n}\${t}", { keys: "\${n}" }] } } }
    store: [{ on: get, key: "\${t}", skip: "\${n}", times: "\${n}", delayMs: "\${n}" }]
    http:
      - request: { url: "http://a.test/\${t}", headers: { json: "\${n}" } }
        response: { body: { size: "\${n}" } }
    steps:
      - { request: { method: "\${t}", timeoutMs: "\${n}" }, expect: { status: "\${n}", body: { length: "\${n}" } } }
`);
    const [one] = cases;
    const { scene, steps } = one?.runs[0] ?? {};
    expect(one?.name).toBe("${n}");
    const keys = [...(scene?.keys.get("json" as never) ?? [])].map(([key, value]) => [
      key,
      Buffer.from(value).toString(),
    ]);
    expect(keys).toEqual([
      ["x", "7"],
      ["keys", '[7,"7x",{"keys":7}]'],
    ]);
    expect(scene?.faults).toMatchObject([{ key: "x", skip: 7, times: 7, delayMs: 7 }]);
    expect(scene?.exchanges).toMatchObject([
      { request: { url: "http://a.test/x" }, outcome: { chunks: [Buffer.from("xxxxxxx")] } },
    ]);
    expect(scene?.exchanges[0]?.request.headers.get("json")).toEqual({ kind: "text", text: "7" });
    expect(steps).toMatchObject([
      { request: { method: "x", timeoutMs: 7 }, expect: { status: 7, body: { kind: "length", bytes: 7 } } },
    ]);
  });

  test("tells the places of its parts, and without each a text is as it is", () => {
    const { cases } = parse(
      'cases:\n  - name: one\n    each: [{ a: [1, 2] }]\n    request: { payload: "${a}" }\n    expect: {}\n  - { name: b, request: { payload: "${a}" }, expect: {} }\n',
    );
    expect(cases[0]?.runs[1]?.steps[0]?.at(["expect"])).toEqual({ line: 5, column: 5 });
    expect(cases[1]?.runs).toMatchObject([
      { values: undefined, steps: [{ request: { payload: Buffer.from("${a}") } }] },
    ]);
  });

  test.each([
    ["[]", "write a list of maps"],
    ["[{}]", "write a list of maps"],
    ["[{ a: [] }]", "write at least one value"],
    ["[{ a: { from: 2, to: 1 } }]", "write whole numbers: `from`, `to` that is not less"],
    ["[{ a: { from: 0, to: 1, step: 0 } }]", "`step` of at least 1"],
    ["[{ a: 1 }, { b: 1 }]", "write the same variables in every map"],
    ["[{ a-b: 1 }]", "write a variable's name"],
    [`[{ a: { from: 0, to: ${FIXED_LIMITS.testRuns} } }]`, `write at most ${FIXED_LIMITS.testRuns} combinations`],
    ["[{ b: 1 }]", "1:60: ${a} has no value in `each`, which has b"],
    ["[{ b: 1 }]", "nothing in the case is ${b}; remove it, or use it"],
    ["[{ a: 1 }]", 'cases[0].expect.status: "x1" cannot be used; write a status, 0 to 65535', '"x${a}"'],
    ["[{ a: [65535, 65536] }]", 'cases[0].expect.status: "65536" cannot be used; write a status, 0 to 65535', '"${a}"'],
  ])("%s is refused: %s", (each, expected, status = "1") => {
    const text = `cases: [{ name: one, each: ${each}, request: { payload: "\${a}" }, expect: { status: ${status} } }]`;
    expect(problems(text).join("\n")).toContain(expected);
  });

  test("counts each run of a file's cases", () => {
    const half = `{ from: 1, to: ${FIXED_LIMITS.testRuns / 2} }`;
    const one = (name: string): string =>
      `{ name: ${name}, each: [{ a: ${half} }], request: { payload: "\${a}" }, expect: {} }`;
    const last = "{ name: last, request: {}, expect: {} }";
    expect(problems(`cases: [${one("a")}, ${one("b")}]`)).toEqual([]);
    expect(problems(`cases: [${one("a")}, ${one("b")}, ${last}]`).join()).toContain(
      `the cases have ${FIXED_LIMITS.testRuns + 1} runs`,
    );
  });
});

test("a file has as many cases as allowed and no more", () => {
  const cases = (count: number): object => ({
    cases: Array.from({ length: count }, (_, index) => ({ name: `case ${index}`, request: {}, expect: {} })),
  });
  expect(parseTestData(cases(FIXED_LIMITS.testCases), "data").kind).toBe("valid");
  expect(parseTestData(cases(FIXED_LIMITS.testCases + 1), "data")).toMatchObject({
    kind: "invalid",
    errors: [{ message: expect.stringContaining(`write at most ${FIXED_LIMITS.testCases} cases`) as string }],
  });
});
