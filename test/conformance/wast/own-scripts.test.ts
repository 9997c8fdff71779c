/**
 * Scripts of our own, in the form of the component model's: what its tests leave out, or say only of functions that
 * the host does not take.
 */

import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { runScript } from "./run-script.ts";

const SCRIPTS = ["aliases", "borrows", "entering", "flags", "post-return", "values"];

function readScript(name: string): Promise<string> {
  return readFile(new URL(`scripts/${name}.wast`, import.meta.url), "utf8");
}

it.each(SCRIPTS)("holds for %s", async (name) => {
  expect(await runScript(await readScript(name))).toEqual({ wrong: [], unplanned: [] });
});

it("has a plan for none of the components that WASI 0.2 has no use for, and says why", async () => {
  const { wrong, unplanned } = await runScript(await readScript("refused"));
  expect(wrong).toEqual([]);
  const reasons = unplanned.map(([, reason]) => reason.replace(/ is not supported.*/, ""));
  expect(reasons).toEqual([
    "the type `stream`",
    "the type `future`",
    "a list of fixed length",
    "the type `map`",
    "a core type definition",
    "a core module is passed between components",
    "canonical built-in 0x5 (tasks, streams, threads)",
  ]);
});
