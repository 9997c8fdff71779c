import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanJavaScript } from "../../../src/compiler/javascript-scanner.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

function pieces(source: string): string[] {
  return scanJavaScript(source).map(({ kind, start, end }) => `${kind}:${source.slice(start, end)}`);
}

describe("scanning JavaScript", () => {
  test.each([
    ["a = 'x' + \"y\";", ["code:a = ", "text:'x'", "code: + ", 'text:"y"', "code:;"]],
    ["'it\\'s' b", ["text:'it\\'s'", "code: b"]],
    ["a // it's\nb", ["code:a ", "text:// it's", "code:\nb"]],
    ["a /* ' */ b", ["code:a ", "text:/* ' */", "code: b"]],
    ["a / b / c", ["code:a / b / c"]],
    ["`a${b}c`", ["text:`a${", "code:b", "text:}c`"]],
    [
      "`a${{ b: `c${d}` }}e` f",
      ["text:`a${", "code:{ b: ", "text:`c${", "code:d", "text:}`", "code: }", "text:}e`", "code: f"],
    ],
    ["{ x: { y } }", ["code:{ x: { y } }"]],
    ["`$\\${a}`", ["text:`$\\${a}`"]],
    ["", []],
  ])("%j", (source, expected) => {
    expect(pieces(source)).toEqual(expected);
  });

  test.each(["'a", '"a\n"', "`a", "`${a", "/* a", "'\\"])("%j has no end and is refused", (source) => {
    expect(refusalOf(() => scanJavaScript(source)).code).toBe("compile-failed");
  });

  test("spans cover the source without gaps, and text that was written as a string is found as text", () => {
    const part = fc.oneof(
      fc.string().map((text) => ({ kind: "text", source: JSON.stringify(text).replaceAll("\u2028", "") })),
      fc.stringMatching(/^[a-z0-9 ;=+()-]{1,20}$/).map((source) => ({ kind: "code", source })),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const source = parts.map((one) => one.source).join("");
        const spans = scanJavaScript(source);
        expect(spans.map(({ start, end }) => source.slice(start, end)).join("")).toBe(source);
        const text = spans.filter(({ kind }) => kind === "text").map(({ start, end }) => source.slice(start, end));
        expect(text.join("")).toBe(
          parts
            .filter(({ kind }) => kind === "text")
            .map((one) => one.source)
            .join(""),
        );
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
