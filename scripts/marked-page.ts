/**
 * Pages that are written by hand and have generated places: `<!-- table: name -->` … `<!-- end -->` around whole
 * paragraphs, `<!-- value: name -->` … `<!-- end -->` within one. What stands between is replaced.
 *
 * @module
 */

/** The text that belongs into the place of a name; `undefined` for a name that is not known. */
export type TextOf = (name: string) => string | undefined;

const MARK = /<!-- (table|value): (\S+) -->([^]*?)<!-- end -->/g;
const OPENING = /<!-- (?:table|value): /;
/** A line that begins with a comment is HTML in Markdown, and nothing in it is formatted. */
const VALUE_FIRST = /^[ \t]*(?:[-*>][ \t]+|\d+\.[ \t]+)?<!-- value: (\S+) -->/m;

/** The names that a page marks, in its order. */
export function markedNames(page: string): string[] {
  return [...page.matchAll(MARK)].map(([, , name = ""]) => name);
}

/**
 * Fills a page's places.
 *
 * @param file is named by errors
 * @throws for a name that there is no text for, a place that does not end, and a value at the beginning of a line
 */
export function fillPage(file: string, page: string, textOf: TextOf): string {
  if (page.split(OPENING).length - 1 !== markedNames(page).length) {
    throw new Error(`${file} has a place without its <!-- end -->`);
  }
  const [, first] = VALUE_FIRST.exec(page) ?? [];
  if (first !== undefined) throw new Error(`${file}: the place "${first}" begins a line; put a word before it`);
  return page.replaceAll(MARK, (_, kind: string, name: string) => {
    const text = textOf(name);
    if (text === undefined) throw new Error(`${file} has a place "${name}", which nothing is generated for`);
    return `<!-- ${kind}: ${name} -->${kind === "table" ? `\n\n${text}\n\n` : text}<!-- end -->`;
  });
}
