/**
 * The component model's own tests, from their published text. Those of asynchronous functions are left out: WASI 0.2
 * has none. What a script holds beside that and the host does not take is listed here by its line.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { obtainSpecificationTests } from "../../../scripts/toolchains/specification.ts";
import { runScript } from "./run-script.ts";

const OBTAIN_TIMEOUT_MS = 12 * 60_000;

/** Lines of components that have no plan, and what the reason names. The gate takes nothing like them. */
type Unplanned = Readonly<Record<number, string>>;

/** Every other line from one to another. */
function lines(first: number, last: number, reason: string): Unplanned {
  const count = (last - first) / 2 + 1;
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [first + 2 * index, reason]));
}

const SCRIPTS: Readonly<Record<string, Unplanned>> = {
  "binary/binary": {
    384: "a core type",
    557: "stream",
    755: "asynchronous",
    841: "a core type",
    892: "a core type",
    958: "list of fixed length",
    965: "map",
    974: "asynchronous",
    1433: "a core module is passed between components",
  },
  "linking/link-time-virtualization": { 2: "a core type" },
  "linking/shared-everything-dynamic-linking": { 4: "a core type" },
  "linking/tags": {},
  "linking/unit": {
    1173: "a core type",
    1230: "a core type",
    1318: "a core type",
    1418: "an exported core module",
    1535: "a core type",
    1595: "a core type",
    1733: "a core type",
    2050: "a core type",
  },
  "resources/borrows": {},
  "resources/handle-table": {},
  "resources/multiple-resources": {},
  "validation/abi": {},
  "validation/annotated-names": {},
  "validation/attributes": {},
  "validation/core-modules": {},
  "validation/defined-types": {},
  "validation/extern-names": {},
  "validation/external-visibility": {},
  "validation/indicies": {
    5: "a core type",
    73: "a core type",
    236: "tasks, streams, threads",
    251: "a core type",
    267: "future",
    280: "a core type",
    311: "a core type",
    328: "a core type",
    341: "an exported core module",
  },
  "validation/instantiation": { 281: "a core type", 289: "a core type", 332: "a core type", 342: "a core type" },
  "validation/kebab": {},
  "validation/max-value-size": { 6: "list of fixed length" },
  "validation/outer-alias": {},
  "validation/resources": {},
  "values/alignment": {},
  "values/concat": { 463: "map" },
  "values/numerics": {},
  "values/post-return": {
    ...lines(201, 255, "stream"),
    260: "tasks, streams, threads",
    334: "tasks, streams, threads",
  },
  "values/realloc": {},
  "values/strings": {},
  "values/transcode": {},
  "values/variants": { 83: "tasks, streams, threads" },
};

/** Names that jco's validator takes and its generator breaks down on; the gate refuses them as imports. */
const BREAKDOWNS: Readonly<Record<string, readonly number[]>> = { "validation/extern-names": [53, 56] };

describe("the component model's tests", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await obtainSpecificationTests();
  }, OBTAIN_TIMEOUT_MS);

  it.each(Object.entries(SCRIPTS))("hold for %s", async (name, unplanned) => {
    const outcome = await runScript(await readFile(join(folder, `${name}.wast`), "utf8"), BREAKDOWNS[name]);
    expect(outcome.wrong).toEqual([]);
    const expected = Object.entries(unplanned).map(([line, reason]) => [Number(line), containing(reason)]);
    expect(outcome.unplanned).toEqual(expected);
  });
});

function containing(text: string): string {
  return expect.stringContaining(text) as string;
}
