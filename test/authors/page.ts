/**
 * The pages for authors, taken apart: their commands, the files that they have one write, their tables.
 *
 * @module
 */

/** A fenced block, and the file that the paragraph before it names, if any. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** `append` where the paragraph says "Add to". */
  readonly file: { readonly path: string; readonly how: "write" | "append" } | undefined;
}

/** Blocks of a page's text, in their order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/(?<=(?:^|\n)([^\n]*)\n\n)```(\w+)\n([^]*?)\n```/g)].map(
    ([, before = "", language = "", text = ""]) => {
      const path = /^(?:Add to|Write|Say|and) .*`([\w./-]+)`.*:$|^(?:Add to|Write) `([\w./-]+)`:$/.exec(before);
      const named = path?.[1] ?? path?.[2];
      const isFile = language !== "console" && named !== undefined;
      return {
        language,
        text,
        file: isFile ? { path: named, how: before.startsWith("Add to") ? "append" : "write" } : undefined,
      };
    },
  );
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
