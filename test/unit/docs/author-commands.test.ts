/**
 * What pages for plugin authors have one type is run by a test: pages that are followed by one run whole (see
 * `test/authors/workplace.ts`), and what stands in the text besides is in one of their blocks, or is named here with its reason.
 */

import { glob, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { stepsOf } from "../../authors/page.ts";
import { projectFile } from "../../harness/plugins.ts";

/** Commands in the text that no test runs, each with its reason. */
const NOT_RUN: ReadonlyMap<string, string> = new Map([
  [
    "docker run --rm -p 127.0.0.1:4222:4222 nats",
    "another way to what the block below it does; it takes an image registry",
  ],
  ["npm run test:authors", "it is what runs all the others"],
  ["npm run test:authors -- --record", "the same"],
]);

const PROGRAMS =
  "cargo|cmake|cpack|docker|git|go|network-host|node|npm|npx|pip|pip3|python|python3|rustup|tinygo|wasm-tools|wit-bindgen";
const COMMAND = new RegExp(`^(?:\\S*/)?(?:${PROGRAMS}) \\S`);
const SHELLS = /^```(?:console|bash|shell|zsh)\b/m;

async function textsOf(pattern: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const path of glob([...pattern], { cwd: projectFile(".") }))
    texts.set(path, await readFile(projectFile(path), "utf8"));
  return texts;
}

const pages = await textsOf(["docs/write-a-plugin/*.md", "docs/clients.md", "sdk/*/README.md"]);
const tests = [...(await textsOf(["test/authors/*.test.ts"])).values()];

function commandsOf(page: string): string[] {
  return stepsOf(page).flatMap((step) => (step.kind === "commands" ? step.text.trimEnd().split("\n") : []));
}

/** Commands within paragraphs, as code. */
function commandsInText(page: string): string[] {
  const prose = page.replace(/^```[^]*?^```$/gm, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code).filter((code) => COMMAND.test(code));
}

test.each([...pages.keys()])("%s has its commands in blocks that a test follows", (path) => {
  const page = pages.get(path) ?? "";
  expect(SHELLS.test(page), "commands are in blocks of `sh`").toBe(false);
  if (commandsOf(page).length === 0) return;
  // By a workplace or step by step. A test of several pages of the folder names them by their files.
  const names = [`"${path}"`, ...(path.startsWith("docs/") ? [`"${basename(path)}"`] : [])];
  const isFollowed = tests.some(
    (text) => /\.follow\(|\bstepsOf\(/.test(text) && names.some((name) => text.includes(name)),
  );
  expect(isFollowed, `a test of test/authors follows "${path}"`).toBe(true);
});

test("a command in the text is one of those that are run, or named here", () => {
  const ran = [...pages.values()].flatMap(commandsOf);
  const known = (code: string): boolean =>
    NOT_RUN.has(code) || ran.some((line) => line.includes(code.replace(/ …$/, "")));
  const unknown = [...pages].flatMap(([path, page]) =>
    commandsInText(page)
      .filter((code) => !known(code))
      .map((code) => `${path}: ${code}`),
  );
  expect(unknown).toEqual([]);
});

test("what is named here is on a page", () => {
  const inText = new Set([...pages.values()].flatMap(commandsInText));
  expect([...NOT_RUN.keys()].filter((code) => !inText.has(code))).toEqual([]);
});

test.each([...pages.keys()])("%s names each of its files in the text above it", (path) => {
  const page = pages.get(path) ?? "";
  const parts = page.split(/^```$/m);
  const missing = parts.flatMap((part) => {
    const [, text = "", file] = /^([^]*?)^```\w+ (?:title|append)=(\S+)$/m.exec(part) ?? [];
    return file === undefined || text.includes(`\`${file}\``) ? [] : [file];
  });
  expect(missing).toEqual([]);
});
