/**
 * Fills the places of the documentation that show figures: what was measured (`bench/published/figures.json`), limits, and
 * constants of the sources. With `--check`, only compares.
 *
 * A place is `<!-- value: name -->…<!-- end -->`, or `<!-- table: name -->` for whole paragraphs. Its name is one of
 * `bench/pages/places.ts`, `limit:NAME` for a limit of a plugin or replica, or `src/…/file.ts#NAME` for a constant.
 *
 * @module
 */

import { RECORD_PAGE } from "./test/record.ts";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { figurePlaces } from "../bench/pages/places.ts";
import { readFigures } from "../bench/published/figures.ts";
import { showValue } from "../src/config/limit-schema.ts";
import { FIXED_LIMIT_ROWS, PLUGIN_LIMITS, REPLICA_LIMITS } from "../src/contract/limits.ts";
import { formatText, PROJECT_FOLDER, readProjectFile, writeOrCheck } from "./generated-file.ts";
import { readConstants } from "./lib/source-constants.ts";
import { fillPage, markedNames } from "./marked-page.ts";

/** Pages that have places of their own generator. */
const OTHERS: ReadonlySet<string> = new Set([
  "docs/limits.md",
  "docs/write-a-plugin/what-a-component-may-use.md",
  RECORD_PAGE,
]);
const PAGES = ["*.md", "docs/**/*.md", "examples/*.md"];

const SHARES = "src/fairness/thread-shares.ts";

/** File of the project → its text, for every page that has places. @throws for a place that cannot be filled */
export async function generateFigures(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  const names = new Set<string>();
  for await (const file of glob(PAGES, { cwd: PROJECT_FOLDER })) {
    const page = await readProjectFile(file);
    const marked = markedNames(page);
    if (marked.length === 0 || OTHERS.has(file)) continue;
    pages.set(file, page);
    for (const name of marked) names.add(name);
  }
  const texts = await textsOf(names);
  const filled = new Map<string, string>();
  for (const [file, page] of pages) {
    filled.set(
      file,
      await formatText(
        file,
        fillPage(file, page, (name) => texts.get(name)),
      ),
    );
  }
  return filled;
}

async function textsOf(names: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const texts = new Map([...figurePlaces(await readFigures()), ...limitPlaces(), ...(await sharePlaces())]);
  for (const name of names) {
    const [, file, constant] = /^(src\/[\w/-]+\.ts)#([\w.]+)$/.exec(name) ?? [];
    if (file === undefined || constant === undefined) continue;
    const value = (await readConstants(join(PROJECT_FOLDER, file))).get(constant);
    if (value !== undefined) texts.set(name, constantText(constant, value));
  }
  return texts;
}

function limitPlaces(): [string, string][] {
  const tables = { ...FIXED_LIMIT_ROWS, ...REPLICA_LIMITS, ...PLUGIN_LIMITS };
  return Object.entries(tables).map(([name, row]) => [
    `limit:${name}`,
    showValue("value" in row ? row.value : row.default, row.unit),
  ]);
}

/** What a plugin has of the host's thread follows from the number of processors. */
async function sharePlaces(): Promise<[string, string][]> {
  const constants = await readConstants(join(PROJECT_FOLDER, SHARES));
  const [each, most] = ["FILL_RATE_EACH", "MAX_FILL_RATE"].map((name) => constants.get(name));
  if (each === undefined || most === undefined) throw new Error(`${SHARES} does not say how fast a share fills up`);
  return [
    ["thread-share-of-two-processors", String(Math.min(most, 2 * each))],
    ["thread-share-at-most", String(most)],
    ["processors-of-thread-share-at-most", String(Math.ceil(most / each))],
  ];
}

function constantText(name: string, value: number): string {
  return /BYTES(_|$)/.test(name) && !/EACH/.test(name) ? showValue(value, "bytes") : value.toLocaleString("en");
}

if (import.meta.main) await writeOrCheck(await generateFigures(), "npm run generate");
