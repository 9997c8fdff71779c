import { expect, test } from "vitest";
import {
  differenceOfBytes,
  differenceOfJson,
  differenceOfLines,
  differenceOfTexts,
  type DifferenceLine,
  shortly,
} from "../../../src/testing/difference.ts";

const SIGNS = { same: " ", expected: "-", received: "+", remark: "#" } as const;

function shown(lines: readonly DifferenceLine[]): string[] {
  return lines.map(({ kind, text }) => `${SIGNS[kind]} ${text}`);
}

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

test("texts of one line are shown in quotes, so that blanks and control characters are seen", () => {
  expect(shown(differenceOfTexts("ada ", "ada\u0007"))).toEqual(['- "ada "', String.raw`+ "ada\u0007"`]);
});

test("of long texts the part around the first difference is shown", () => {
  const [expected = "", received = ""] = shown(differenceOfTexts(`${"x".repeat(5_000)}a`, `${"x".repeat(5_000)}b`));
  expect(expected).toMatch(/^- …"x{60}a" \(5001 characters\)$/);
  expect(received).toMatch(/^\+ …"x{60}b" \(5001 characters\)$/);
});

test("texts of several lines are compared line by line, with what is around a change", () => {
  const expected = Array.from({ length: 20 }, (_, line) => `line ${line}`);
  const received = expected.with(9, "another");
  expect(shown(differenceOfTexts(expected.join("\n"), received.join("\n")))).toEqual([
    "# … 6 equal lines",
    "  line 6",
    "  line 7",
    "  line 8",
    "- line 9",
    "+ another",
    "  line 10",
    "  line 11",
    "  line 12",
    "# … 7 equal lines",
  ]);
});

test("blanks and carriage returns at the ends of lines are visible", () => {
  expect(shown(differenceOfTexts("one\ntwo", "one  \ntwo\r"))).toEqual([
    "- one",
    "- two",
    "+ one··",
    String.raw`+ two\r`,
  ]);
});

test("JSON is compared by its values, one a line, in the order of its keys", () => {
  expect(shown(differenceOfJson({ b: 1, a: [1, 2] }, { a: [1, 3], b: 1 }))).toEqual([
    "  {",
    '    "a": [',
    "      1,",
    "-     2",
    "+     3",
    "    ],",
    '    "b": 1',
    "  }",
  ]);
});

test("other bytes are dumped from the first difference on", () => {
  const same = "00".repeat(20);
  expect(shown(differenceOfBytes(bytes(`${same}4142`), bytes(`${same}43`)))).toEqual([
    "# first difference at byte 20; 22 bytes expected, 21 received",
    `- 00000010  00 00 00 00 41 42${" ".repeat(30)}  ....AB`,
    `+ 00000010  00 00 00 00 43${" ".repeat(33)}  ....C`,
  ]);
});

test("very many lines are not searched: the first difference is shown", () => {
  const expected = Array.from({ length: 5_000 }, (_, line) => `${line}`);
  const lines = shown(differenceOfLines(expected, expected.with(4_000, "x")));
  expect(lines[0]).toBe("# first difference in line 4001; 5000 lines expected, 5000 received");
  expect(lines.slice(1)).toContain("+ x");
  expect(lines.length).toBe(7);
});

test("a difference never has more than a screenful of lines", () => {
  const expected = Array.from({ length: 500 }, (_, line) => `a${line}`);
  const received = Array.from({ length: 500 }, (_, line) => `b${line}`);
  const lines = shown(differenceOfLines(expected, received));
  expect(lines.length).toBe(61);
  expect(lines.at(-1)).toBe("# … 940 more lines");
});

test("a value in one line is its text in quotes, or the beginning of its bytes", () => {
  expect(shortly(Buffer.from("größe"))).toBe('"größe"');
  expect(shortly(bytes("00ff".repeat(10)))).toBe(`0x${"00ff".repeat(8)}… (20 bytes)`);
});
