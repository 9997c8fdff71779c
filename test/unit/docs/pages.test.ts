/**
 * The pages of docs/ and their order: none is long, none is lost, and their links lead somewhere.
 */

import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";
import { projectFile } from "../../harness/plugins.ts";

const MAX_LINES = 400;

/** Longer than a page should be: results and method in one, until it is split; and the generated list of all codes. */
const LONG_PAGES = new Set(["docs/performance.md", "docs/errors.md"]);

const PAGES = ["*.md", "docs/**/*.md", "examples/*.md", "test/components/*.md"] as const;

async function pages(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const path of glob([...PAGES], { cwd: projectFile(".") })) {
    found.set(path, await readFile(projectFile(path), "utf8"));
  }
  return found;
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, "").replace(/`[^`\n]*`/g, "");
}

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll("`", "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

function anchorsOf(page: string): string[] {
  const text = page.replace(/^```.*?^```/gms, "");
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

function linksOf(page: string): string[] {
  return [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

test("no page has more than 400 lines", async () => {
  const long = [...(await pages())]
    .filter(([path]) => path.startsWith("docs/") && !LONG_PAGES.has(path))
    .map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES);
  expect(long).toEqual([]);
});

test("every link within the project leads to a file, and to a heading of it", async () => {
  const texts = await pages();
  let count = 0;
  const broken: string[] = [];
  for (const [path, text] of texts) {
    for (const link of linksOf(text)) {
      if (/^[a-z]+:/.test(link)) continue;
      count += 1;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      const isPresent = existsSync(projectFile(target)) && !relative(".", target).startsWith("..");
      const hasAnchor = anchor === undefined || anchorsOf(texts.get(target) ?? "").includes(anchor);
      if (!isPresent || !hasAnchor) broken.push(`${path}: ${link}`);
    }
  }
  expect(count).toBeGreaterThan(200);
  expect(broken).toEqual([]);
});

test("docs/README.md leads to every page of docs/, and to each once", async () => {
  const texts = await pages();
  const index = linksOf(texts.get("docs/README.md") ?? "").map((link) => normalize(join("docs", link)));
  const own = [...texts.keys()].filter(
    (path) => path.startsWith("docs/") && !path.startsWith("docs/adr/") && path !== "docs/README.md",
  );
  expect(own.filter((path) => !index.includes(path))).toEqual([]);
  expect(index).toEqual([...new Set(index)]);
});

test("the places that how-to pages list exist", async () => {
  const missing: string[] = [];
  let count = 0;
  for (const [page, text] of await pages()) {
    if (!page.startsWith("docs/how-to/")) continue;
    for (const [, place = ""] of text.matchAll(/`((?:src|test|docs|scripts|bench|schemas|examples)\/[\w./-]*)`/g)) {
      count += 1;
      if (!existsSync(projectFile(place))) missing.push(`${page}: ${place}`);
    }
  }
  expect(count).toBeGreaterThan(40);
  expect(missing).toEqual([]);
});

test("a decision has its status, context, decision and consequences, and no history of other decisions", async () => {
  const faults: string[] = [];
  let count = 0;
  for (const [path, text] of await pages()) {
    if (!path.startsWith("docs/adr/")) continue;
    count += 1;
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => heading);
    const isWhole = /^Context, Decision, (?:Considered, )?Consequences$/.test(headings.join(", "));
    const status = text.split("\n")[2] ?? "";
    if (!isWhole || !status.startsWith("Status: accepted") || /\b[Aa]mend(?:s|ed)\b/.test(text)) faults.push(path);
  }
  expect(count).toBeGreaterThan(30);
  expect(faults).toEqual([]);
});

test("an anchor is made as GitHub makes it", () => {
  expect(anchorOf("network_host_nats_connected, network_host_nats_delivering")).toBe(
    "network_host_nats_connected-network_host_nats_delivering",
  );
  expect(anchorOf("What may be reached?")).toBe("what-may-be-reached");
});
