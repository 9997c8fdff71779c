import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DiagnosticList, formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { readYaml } from "../../../src/config/yaml-text.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

function read(text: string): { data: unknown; errors: string[] } {
  const problems = new DiagnosticList("f.yaml");
  const yaml = readYaml(text, problems);
  return { data: yaml?.data, errors: problems.errors.map(formatDiagnostic) };
}

describe("reading YAML", () => {
  test("plain data comes back with the positions of its values and keys", () => {
    const yaml = readYaml("a: 1\nlist:\n  - x: y\n", new DiagnosticList("f.yaml"));
    expect(yaml?.data).toEqual({ a: 1, list: [{ x: "y" }] });
    expect(yaml?.valueAt(["list", 0, "x"])).toEqual({ line: 3, column: 8 });
    expect(yaml?.keyAt(["list"])).toEqual({ line: 2, column: 1 });
  });

  test("a path that leads nowhere is found at its nearest parent", () => {
    const yaml = readYaml("a: 1\nlist:\n  - x: y\n", new DiagnosticList("f.yaml"));
    expect(yaml?.valueAt(["list", 0, "missing", "deeper"])).toEqual({ line: 3, column: 5 });
  });

  test("words of YAML 1.1 are texts, not booleans", () => {
    expect(read("a: [no, on, 010]").data).toEqual({ a: ["no", "on", 10] });
  });

  test.each([
    ["an anchor", "a: &x 1", "f.yaml:1:4: anchors are not allowed; write the value out where it is needed"],
    ["an alias", "a: [*x]", "f.yaml:1:5: aliases are not allowed; write the value out"],
    ["a tag", "a: !!str 1", "f.yaml:1:4: tags are not allowed; write the value plainly, texts in quotes"],
    ["a tag of one's own on a key", "? !x k\n: 1", "f.yaml:1:3: tags are not allowed"],
    ["a directive", "%YAML 1.1\n---\na: 1", "f.yaml:1:1: directives are not allowed; remove the line"],
    ["a second document", "a: 1\n---\nb: 2", "f.yaml:2:1: a second document; keep one document in a file"],
    ["a key that is a list", "? [a]\n: 1", "f.yaml:1:3: not valid YAML: a key must be a plain text"],
    ["a key that would set a prototype", "a:\n  __proto__: 1", "f.yaml:2:3: the key __proto__ cannot be used"],
    ["a repeated key", "a: 1\nb: 2\na: 3", "f.yaml:3:1: this key stands here a second time; keep one of them"],
  ])("%s is refused where it stands", (_, text, message) => {
    expect(read(text).errors).toEqual([expect.stringContaining(message)]);
  });

  test("a merge key is a key like any other", () => {
    expect(read("<<: {a: 1}").data).toEqual({ "<<": { a: 1 } });
  });

  test.each([
    ["flow lists", "[".repeat(20_000)],
    ["block lists", "- ".repeat(20_000)],
    ["block maps", Array.from({ length: 200 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["a bomb of aliases", `a: &a [x]\n${"b: &b [*a, *a, *a]\n".repeat(20)}`],
  ])("%s nested beyond measure are refused without exhausting the stack", (_, text) => {
    const { data, errors } = read(text);
    expect(data).toBeUndefined();
    expect(errors.join("\n")).toMatch(/nested more than 16 levels|aliases are not allowed/);
  });

  test("any text gives data or errors, never an exception", () => {
    const fragments = fc.constantFrom(
      ...Array.from(":-?[]{}&*!|>'\"%@`#, \n\tab1~"),
      "a: ",
      "- ",
      "\n  ",
      "<<: ",
      "---\n",
      "\u2028",
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 60 }), (parts) => {
        const { data, errors } = read(parts.join(""));
        expect(data !== undefined || errors.length > 0).toBe(true);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 3_000 },
    );
  });
});
