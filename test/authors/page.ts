/**
 * The pages for authors, taken apart: the files that they have one write, their commands and what those print, their tables.
 *
 * A block of `sh` is commands; one with `title=` is a file, one with `append=` is added to a file; one of `text` after
 * commands is what they print, where `…` stands for anything within a line, or for any lines where it stands alone.
 * Whoever reads the page sees no word of a block's first line but the language: the text above the block names the file as
 * well.
 *
 * @module
 */

/** A step of a page. */
export type Step =
  | { readonly kind: "file"; readonly path: string; readonly how: "write" | "append"; readonly text: string }
  | { readonly kind: "commands"; readonly text: string; readonly prints: string | undefined };

const FENCE = /^```(\w+)(?: (title|append)=(\S+))?\n([^]*?)^```$/gm;

/** Whole lines, as few as may be; the line that follows them begins with a break. */
const ANY_LINES = "[ ]*(?:\\n.*)*?";

/** The steps of a page's text, in their order. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  for (const [, language = "", mark, path, text = ""] of page.matchAll(FENCE)) {
    const last = steps.at(-1);
    if (path !== undefined) steps.push({ kind: "file", path, how: mark === "append" ? "append" : "write", text });
    else if (language === "sh") steps.push({ kind: "commands", text, prints: undefined });
    else if (language === "text" && last?.kind === "commands") steps[steps.length - 1] = { ...last, prints: text };
  }
  return steps;
}

/** Does what commands printed begin, in some line, as the page says? */
export function printsAsSaid(printed: string, said: string): boolean {
  const [first = "", ...others] = said.trimEnd().split("\n");
  let pattern = patternOf(first);
  for (const line of others) pattern += line.trim() === "…" ? ANY_LINES : `[ ]*\\n${patternOf(line)}`;
  return new RegExp(`^${pattern}`, "m").test(printed);
}

function patternOf(line: string): string {
  const parts = line.trimEnd().split("…");
  return parts.map((part) => RegExp.escape(part)).join(".*");
}

/** Rows of the first table that follows the heading. Their cells' code, without the backticks. */
export function tableAfter(page: string, heading: string): string[][] {
  const [, rest = ""] = page.split(`\n## ${heading}\n`);
  const rows = rest.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
}
