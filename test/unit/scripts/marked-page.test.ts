import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConstants } from "../../../scripts/lib/source-constants.ts";
import { fillPage, markedNames } from "../../../scripts/marked-page.ts";

const textOf = (name: string): string | undefined =>
  new Map([
    ["one", "1"],
    ["all", "| a |"],
  ]).get(name);
const fill = (page: string): string => fillPage("page.md", page, textOf);

test("places are filled, and filled again they are the same", () => {
  const page = "It is <!-- value: one -->7<!-- end --> today.\n\n<!-- table: all -->\nold\n<!-- end -->\n";
  const filled = "It is <!-- value: one -->1<!-- end --> today.\n\n<!-- table: all -->\n\n| a |\n\n<!-- end -->\n";
  expect(fill(page)).toBe(filled);
  expect(fill(filled)).toBe(filled);
  expect(markedNames(page)).toEqual(["one", "all"]);
});

test.each([
  ["a name that nothing is generated for", "It is <!-- value: two -->7<!-- end -->.", /place "two", which nothing/],
  ["a place that does not end", "It is <!-- value: one -->7.", /without its <!-- end -->/],
  ["a place within a place", "A <!-- value: one --> <!-- value: one -->7<!-- end -->.", /without its <!-- end -->/],
  [
    "a value that begins a line, which Markdown would not format",
    "A\n<!-- value: one -->7<!-- end -->.",
    /begins a line/,
  ],
  ["a value that begins an item", "- <!-- value: one -->7<!-- end -->.", /begins a line/],
])("%s is an error that names the page", (_, page, problem) => {
  expect(() => fill(page)).toThrow(problem);
  expect(() => fill(page)).toThrow(/^page\.md/);
});

test("constants are read with what they are made of, imported ones and those of objects too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "constants-"));
  try {
    await writeFile(join(folder, "units.ts"), "export const KIB = 1_024;\nexport const MIB = KIB * 1024;\n");
    const source = [
      'import { MIB as UNIT } from "./units.ts";',
      'import { readFile } from "node:fs/promises";',
      "const EACH = 0.04;",
      "export const MOST: number = 16 * UNIT;",
      "export const WORK = { one: EACH, two: 2 * EACH } as const;",
      "const unknown = readFile.length * 2;",
    ];
    await writeFile(join(folder, "file.ts"), source.join("\n"));
    const constants = await readConstants(join(folder, "file.ts"));
    expect(Object.fromEntries(constants)).toEqual({
      UNIT: 2 ** 20,
      EACH: 0.04,
      MOST: 2 ** 24,
      "WORK.one": 0.04,
      "WORK.two": 0.08,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
