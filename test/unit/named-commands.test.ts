/**
 * What messages, comments and docs tell a reader to run: each command is there. Otherwise whoever follows one gets a
 * second error from the first.
 */

import { glob, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/lib/project.ts";
import { run } from "./cli/run.ts";

const FILES = [
  "*.{md,json,yml,ts}",
  "Dockerfile",
  ".ci/*",
  "{src,scripts,bench,docs,examples,consumers,policy,wit}/**/*.{ts,mjs,sh,md,yaml,yml,json,txt,js,py,go,rs,c,wit}",
  "test/**/*.{ts,md}",
];

const SKIPPED = /(?:^|\/)(?:node_modules|target|generated|results|package-lock\.json)(?:\/|$)/;

/** Where a text names a command, and what it names. */
interface Named {
  readonly where: string;
  readonly words: readonly string[];
}

const texts = new Map<string, string>();

beforeAll(async () => {
  for (const pattern of FILES) {
    for await (const name of glob(pattern, { cwd: ROOT, exclude: (path) => SKIPPED.test(path) })) {
      if (!SKIPPED.test(name) && name !== "test/unit/named-commands.test.ts")
        texts.set(name, (await readFile(join(ROOT, name), "utf8")).replaceAll("\\`", "`"));
    }
  }
});

/** All that `pattern` finds; its first group holds the words. */
function named(pattern: RegExp): Named[] {
  return [...texts].flatMap(([where, text]) =>
    Array.from(text.matchAll(pattern), ([, words = ""]) => ({ where, words: words.trim().split(/\s+/) })),
  );
}

test("every npm script that a text names is in package.json", () => {
  const { scripts } = JSON.parse(texts.get("package.json") ?? "") as { scripts: Record<string, string> };
  const found = named(/\bnpm run ((?:--silent )?[a-z][a-z:-]*)/g);
  expect(found.length).toBeGreaterThan(30);
  const missing = found.filter(({ words }) => !((words.at(-1) ?? "") in scripts));
  expect(missing).toEqual([]);
  expect(["start", "test"].filter((name) => !(name in scripts))).toEqual([]);
});

test("every script that a text has Node run is there", () => {
  const found = named(/\bnode ((?:scripts|bench|dist)\/[\w./-]+\.(?:ts|mjs|js))\b/g);
  expect(found.length).toBeGreaterThan(30);
  const missing = found.filter(
    ({ words: [path = ""] }) => !existsSync(join(ROOT, path.replace(/^dist\/(.*)\.js$/, "src/$1.ts"))),
  );
  expect(missing).toEqual([]);
});

test("every project of tests that a text names is one of vitest's", () => {
  const config = texts.get("vitest.config.ts") ?? "";
  const projects = new Set(Array.from(config.matchAll(/\bname: "(\w+)"/g), ([, name = ""]) => name));
  const found = named(/--project[ =]([a-z]+)/g);
  expect(found.length).toBeGreaterThan(5);
  expect(found.filter(({ words: [name = ""] }) => !projects.has(name))).toEqual([]);
});

/** `network-host …` as a command: in quotation marks, behind a prompt, in a Dockerfile or a script. */
const ANYWHERE = [
  // Not at the beginning of a line: there a template of the code's begins a sentence with the program's name.
  /\S ?`network-host ([a-z][^`\n]*)`/g,
  /\$ network-host ([a-z][^\n#]*)/g,
  /\bdist\/main\.js ([a-z][^`\n#]*)/g,
];

/** The same in a page: in quotation marks that a line begins with, and a line of a block of commands. */
const IN_PAGES = [/^`network-host ([a-z][^`\n]*)`/gm, /^network-host ([a-z][^`\n#]*)$/gm];

test("every command of network-host that a text names is one, with those flags", async () => {
  const inPages = IN_PAGES.flatMap(named).filter(({ where }) => where.endsWith(".md"));
  const found = [...ANYWHERE.flatMap(named), ...inPages];
  expect(inPages.length).toBeGreaterThan(10);
  expect(found.length).toBeGreaterThan(60);
  const wrong: string[] = [];
  for (const { where, words } of found) {
    const problem = await problemOf(words);
    if (problem !== undefined) wrong.push(`${where}: network-host ${words.join(" ")}: ${problem}`);
  }
  expect(wrong).toEqual([]);
});

const helps = new Map<string, Promise<string>>();

/** What `--help` says of a command. */
async function helpOf(command: string): Promise<string> {
  const help = helps.get(command) ?? run([...command.split(" "), "--help"]).then(({ stdout }) => stdout);
  helps.set(command, help);
  return await help;
}

/** What is wrong with a command line, if anything. */
async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const end = words.findIndex((word) => /^[|>&;]/.test(word));
  const [command = "", ...rest] = end === -1 ? words : words.slice(0, end);
  let help = await helpOf(command);
  // Without a command of that name it is the program's own.
  if (!help.startsWith(`Usage: network-host ${command} `)) return `there is no command ${command}`;
  const action = rest.find((word) => !word.startsWith("-"));
  const actions = actionsOf(help);
  // A summary writes all of them: `list|prune|clear`.
  const isKnown = action?.split("|").every((one) => actions.includes(one)) ?? true;
  if (actions.length > 0 && !isKnown) return `${command} cannot ${action}`;
  if (action !== undefined && actions.includes(action)) help = await helpOf(`${command} ${action}`);
  const flags = rest.flatMap((word) => /^--[a-z-]+/.exec(word) ?? []);
  const unknown = flags.find((flag) => !new RegExp(`${flag}(?![a-z-])`).test(help));
  return unknown === undefined ? undefined : `${command} has no flag ${unknown}`;
}

/** What a command can do, where it is told that by its first word. */
function actionsOf(help: string): string[] {
  const [, commands = ""] = /^Commands:\n((?: .*\n)+)/m.exec(help) ?? [];
  const [, choices = ""] = /^ {2}action .*choices: (.*)\)/m.exec(help) ?? [];
  return [
    ...Array.from(commands.matchAll(/^ {2}([a-z]+)/gm), ([, name = ""]) => name),
    ...Array.from(choices.matchAll(/"([a-z]+)"/g), ([, name = ""]) => name),
  ];
}
