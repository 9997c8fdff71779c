/** How what a page shows is held against what its commands print. */

import { expect, test } from "vitest";
import { printsAsSaid } from "./page.ts";

test.each([
  ["one\ntwo\nthree\n", "two", true],
  ["one\ntwo\nthree\n", "two\nthree", true],
  ["one\ntwo\nthree\n", "one\nthree", false],
  ["one\ntwo\nthree\n", "one\n…\nthree", true],
  ["one\nthree\n", "one\n…\nthree", true],
  ["one\ntwo\n", "one\n…\nthree", false],
  ["one and more\nthree\n", "one\n…\nthree", false],
  ["in 7 ms\n", "in … ms", true],
  ["in 7\nms\n", "in … ms", false],
  ["an answer without an end and another", "an answer", true],
  ["before an answer", "an answer", false],
])("what is printed, %j, is what the page says, %j: %s", (printed, said, holds) => {
  expect(printsAsSaid(printed, said)).toBe(holds);
});
