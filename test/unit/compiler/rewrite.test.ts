import { transpile } from "@bytecodealliance/jco/component";
import { beforeAll, describe, expect, test } from "vitest";
import { rewriteGenerated } from "../../../src/compiler/rewrite.ts";
import { assemblePlugin, keyValueStoreImport } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";

/** What the installed jco makes of a plugin with imports, before the rewrite. */
let generated: string;
let rewritten: string;

beforeAll(async () => {
  const { files } = await transpile(await assemblePlugin({ insert: { imports: keyValueStoreImport() } }), {
    name: "component",
    instantiation: { tag: "async" },
    asyncMode: { tag: "jspi", val: { imports: [], exports: ["local:network-host/handler@1.0.0#handle-request"] } },
    noTypescript: true,
    noNodejsCompat: true,
    base64Cutoff: 0,
    map: [],
  });
  const entry = files.find(([name]) => name === "component.js");
  if (entry === undefined) throw new Error("jco made no component.js");
  generated = Buffer.from(entry[1]).toString("utf8");
  rewritten = rewriteGenerated(generated);
});

describe("the rewrite of what this version of jco generates", () => {
  test("takes every call of the debug helper out, and the helper with its look at the environment", () => {
    expect(generated.match(/_debugLog\(/g)?.length).toBeGreaterThan(50);
    const code = rewritten.replaceAll(/^ *\/\/.*$/gm, "");
    expect(code).not.toContain("_debugLog");
    expect(code).not.toContain("process");
  });

  test("takes out how the code would fetch modules by itself", () => {
    expect(generated).toContain("import.meta");
    expect(rewritten).not.toContain("import.meta");
    expect(rewritten).not.toContain("fetchCompile");
  });

  test("leaves a module that exports instantiate and runs", async () => {
    const module: unknown = await import(`data:text/javascript,${encodeURIComponent(rewritten)}`);
    expect(module).toHaveProperty("instantiate", expect.any(Function));
  });

  test("makes ill-formed UTF-8 a trap and keeps a byte order mark", () => {
    expect(generated).toContain("new TextDecoder();");
    expect(rewritten).not.toContain("new TextDecoder();");
  });

  test("changes nothing else", () => {
    const lines = new Set(generated.split("\n").map((line) => line.trim()));
    const added = rewritten.split("\n").filter((line) => !lines.has(line.trim()) && line.trim() !== ";");
    expect(added).toEqual(['  const TEXT_DECODER_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });']);
  });
});

describe("the rewrite refuses", () => {
  test.each([
    [
      "a debug helper of another shape",
      "if (!globalThis?.process?.env?.JCO_DEBUG)",
      "if (!globalThis.process.env.DEBUG)",
    ],
    ["another decoder of UTF-8", "new TextDecoder();", "new TextDecoder('utf8');"],
    ["another way to fetch", "const fetchCompile = url", "const fetchCompile = (url)"],
    ["a second use of the fetched module", "class ComponentError", "fetchCompile('x'); class ComponentError"],
    ["code that looks at the process", "class ComponentError", "process.exit(); class ComponentError"],
    ["code that imports", "class ComponentError", "import('node:fs'); class ComponentError"],
    ["code that reaches for the global object", "class ComponentError", "globalThis['x']; class ComponentError"],
    ["code that evaluates", "class ComponentError", "eval(''); class ComponentError"],
    ["a string without an end", "class ComponentError", "'\n class ComponentError"],
  ])("%s", (_what, text, replacement) => {
    if (!generated.includes(text)) throw new Error(`the generated code does not hold ${text}`);
    const error = refusalOf(() => rewriteGenerated(generated.replace(text, () => replacement)));
    expect(error.code).toBe("compile-failed");
  });

  test("nothing for words in strings and names of properties", () => {
    const harmless = "const names = { 'process': 1, process: 2 }; names.process; // import('x')\n";
    expect(rewriteGenerated(generated + harmless)).toContain(harmless);
  });
});
