import { expect, test } from "vitest";
import { alignColumns } from "../../../src/cli/terminal.ts";

test("columns are as wide as their widest cell, styles not counted, and lines have no space at their end", () => {
  expect(
    alignColumns([
      ["a", "b", "c"],
      ["\u001b[31mlonger\u001b[39m", "", "x"],
      ["m", "n", ""],
    ]),
  ).toEqual(["a       b  c", "\u001b[31mlonger\u001b[39m     x", "m       n"]);
});
