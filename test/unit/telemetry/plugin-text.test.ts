import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printableLine, printableText } from "../../../src/telemetry/plugin-text.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

describe("printableLine", () => {
  test("leaves ordinary text of any script as it is", () => {
    const text = 'größer 日本語 🎉 {"a": 1} \\n';
    expect(printableLine(text, 100)).toBe(text);
  });

  test.each([
    ["a terminal's escape sequence", "\u001b[31mred\u001b[0m", "\\u{1b}[31mred\\u{1b}[0m"],
    ["a line break", "one\ntwo\r\nthree", "one\\ntwo\\r\\nthree"],
    ["an eight-bit control sequence", "\u009b2J", "\\u{9b}2J"],
    ["a direction override", "abc\u202Edef", "abc\\u{202e}def"],
    ["a line separator", "a\u2028b", "a\\u{2028}b"],
    ["half a character", "a\ud800b", "a\\u{d800}b"],
    ["a null", "a\0b", "a\\u{0}b"],
  ])("escapes %s", (_, text, escaped) => {
    expect(printableLine(text, 100)).toBe(escaped);
  });

  test("cuts what is too long and says how much is missing", () => {
    expect(printableLine("abcdef", 4)).toBe("abcd… (2 more)");
  });

  test("never lets a control character or a line break through", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printableLine(text, 64)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});

test("printableText keeps lines and tabs and escapes the rest", () => {
  expect(printableText("a\tb\r\nc\u001b[2J\r")).toBe("a\tb\nc\\u{1b}[2J\\r");
});
