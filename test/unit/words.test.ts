/**
 * The project's language, checked: phrases that are retired occur nowhere, and the glossary's terms are in use.
 */

import { glob, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ACCESS_LEVELS } from "../../src/contract/access-levels.ts";
import { projectFile } from "../harness/plugins.ts";

/** Retired phrase → what to write in its place. Phrases may run over the ends of lines. */
const RETIRED: readonly (readonly [RegExp, string])[] = [
  [/\bunder way\b/i, "in flight (requests, operations), in progress (loads, drains), running"],
  [/\b(?:has|have) to be there\b/i, "must exist"],
  [/(?<!\bthere )\b(?:is|are) none\b(?! of (?:them|these))/i, "is not a …, is not valid, is absent"],
  [/(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|one\b)/i, "is not a …"],
  [/\btells? the rest\b/i, "has the details"],
  [/\bwall(?:s|ed)? (?:\S+ ){0,4}in\b(?= (?:with|by|as|what)\b|[.,;)])/i, "sandbox, sandboxed"],
  [/\bstore (?:that )?does not follow\b/i, "the store cannot keep up"],
  [/\bby and by\b/i, "eventually, later, gradually"],
  [/\bfor want of\b/i, "for lack of, without"],
  [/\bmade good\b/i, "recovered from, undone"],
  [/\bbe had\b/i, "is available, can be obtained"],
  [/(?<!\bbut )\bfor good\b/i, "permanently"],
  [/\bstands? in\b(?! for\b)/i, "is in"],
  [/\bat work\b/i, "active, busy"],
  [/\b(?:without|after) a rest\b/i, "without pausing, after a pause"],
  [/\btaken up\b/i, "applied, picked up"],
  [/\b(?:stands?|stood) still\b/i, "stalls, hangs, stops"],
  [/\blet go of\b/i, "released, dropped"],
  [/\bbec[ao]mes? of\b/i, "what happens to …"],
  [/\bat most so (?:many|much|often|long)\b/i, "at most this many, a bounded number of"],
  [/\bheeded\b/i, "honoured, used; not heeded: ignored"],
  [/\bmend(?:ed)?\b/i, "repair, fix"],
  [/\bwith (?:itself|themselves)\b/i, "at start-up"],
  [/\bin (?:its|their) hands\b/i, "holding nothing"],
];

/** What people read: texts whole, and of the tests their titles. */
const TEXTS = [
  "*.md",
  "docs/**/*.md",
  "examples/*.md",
  "test/components/*.md",
  "schemas/*.json",
  "wit/*.wit",
  "src/**/*.ts",
  "scripts/**/*.ts",
  "bench/**/*.ts",
] as const;
const TITLES = /\b(?:test|it|describe)(?:\.\w+)*(?:\((?:[^"`]*)\))?\(\s*(["`])(.*?)\1/gs;

/** A text without line ends and the leaders of comments. */
function flowing(text: string): string {
  return text.replace(/\s*\n\s*(?:\/{2,3}|\*(?!\*)|#+|>)?[ \t]*/g, " ");
}

async function* texts(): AsyncIterable<readonly [path: string, text: string]> {
  for await (const path of glob([...TEXTS], { cwd: projectFile("."), exclude: ["node_modules", "**/generated/**"] })) {
    yield [path, flowing(await readFile(projectFile(path), "utf8"))];
  }
  for await (const path of glob("test/**/*.test.ts", { cwd: projectFile(".") })) {
    const source = await readFile(projectFile(path), "utf8");
    yield [path, [...source.matchAll(TITLES)].map(([, , title = ""]) => title).join(" | ")];
  }
}

test("no text has a retired phrase: the right-hand side says what to write in its place", async () => {
  const found: string[] = [];
  let count = 0;
  for await (const [path, text] of texts()) {
    count += 1;
    for (const [phrase, instead] of RETIRED) {
      for (const match of text.matchAll(new RegExp(phrase, "gi"))) {
        const around = text.slice(Math.max(0, match.index - 40), match.index + match[0].length + 20);
        found.push(`${path}: "…${around}…" → ${instead}`);
      }
    }
  }
  expect(count).toBeGreaterThan(500);
  expect(found).toEqual([]);
});

/** The terms of a table of the glossary: the first column, a term or several with commas between. */
function termsOf(glossary: string): string[] {
  const table = glossary.slice(glossary.indexOf("## Terms"));
  return [...table.matchAll(/^\| ([a-z][^|]*?) *\|/gm)].map(([, term = ""]) => term).filter((term) => term !== "term");
}

test("the glossary is in order and has each term once", async () => {
  const terms = termsOf(await readFile(projectFile("docs/glossary.md"), "utf8"));
  expect(terms.length).toBeGreaterThan(40);
  expect(terms).toEqual([...new Set(terms)].toSorted((one, other) => (one < other ? -1 : 1)));
});

test("every term of the glossary is used in the code and in another page", async () => {
  const terms = termsOf(await readFile(projectFile("docs/glossary.md"), "utf8")).flatMap((term) => term.split(", "));
  let code = "";
  let pages = "";
  for await (const [path, text] of texts()) {
    if (path.startsWith("src/")) code += ` ${text}`;
    else if (path.endsWith(".md") && path !== "docs/glossary.md") pages += ` ${text}`;
  }
  const isIn = (text: string, term: string): boolean =>
    new RegExp(`(?<![a-z])${term.replaceAll(" ", "[ -]?")}`, "i").test(text);
  expect(terms.filter((term) => !isIn(code, term) || !isIn(pages, term))).toEqual([]);
});

test("the glossary explains every access level and names every folder that is a concept of its own", async () => {
  const glossary = await readFile(projectFile("docs/glossary.md"), "utf8");
  const concepts = ["broker", "channel", "compiler", "component", "consumer", "contract", "policy", "runner"];
  expect([...ACCESS_LEVELS, ...concepts].filter((word) => !glossary.includes(word))).toEqual([]);
});
