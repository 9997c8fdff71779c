/**
 * Reads the S-expressions of a `.wast` script. What a script says of components is kept as text, for a real
 * assembler to read; only commands and values are taken apart.
 *
 * @module
 */

/** A word (`invoke`, `$name`, `42`), a string, or a list; each knows where it is in the text. */
export type Expression = Word | Text | List;

interface Place {
  readonly start: number;
  readonly end: number;
}

export interface Word extends Place {
  readonly kind: "word";
  readonly word: string;
}

/** A string, its escapes resolved. */
export interface Text extends Place {
  readonly kind: "text";
  readonly bytes: Buffer;
}

export interface List extends Place {
  readonly kind: "list";
  readonly items: readonly Expression[];
}

const TOKEN = /\s+|;;[^\n]*|\(;|\(|\)|"(?:[^"\\]|\\.)*"|[^\s()";]+/sy;

/** The expressions of a script, one after the other. */
export function readExpressions(text: string): Expression[] {
  const open: { start: number; items: Expression[] }[] = [{ start: 0, items: [] }];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) throw new Error(`the script has no expression at ${start}`);
    const end = TOKEN.lastIndex;
    if (token === "(;") TOKEN.lastIndex = endOfComment(text, end);
    else if (token === "(") open.push({ start, items: [] });
    else if (token === ")") close(open, end);
    else if (token.startsWith('"')) add(open, { kind: "text", bytes: unescaped(token.slice(1, -1)), start, end });
    else if (!/^(\s|;;)/.test(token)) add(open, { kind: "word", word: token, start, end });
  }
  const [outermost] = open;
  if (outermost === undefined || open.length !== 1) throw new Error("the script has an expression without its end");
  return outermost.items;
}

function add(open: readonly { readonly items: Expression[] }[], expression: Expression): void {
  open.at(-1)?.items.push(expression);
}

function close(open: { start: number; items: Expression[] }[], end: number): void {
  const list = open.pop();
  if (list === undefined || open.length === 0) throw new Error(`the script has one ")" too many at ${end}`);
  add(open, { kind: "list", ...list, end });
}

/** Block comments nest. */
function endOfComment(text: string, from: number): number {
  const edge = /\(;|;\)/g;
  edge.lastIndex = from;
  for (let depth = 1; depth > 0;) {
    const found = edge.exec(text)?.[0];
    if (found === undefined) throw new Error("the script has a comment without its end");
    depth += found === "(;" ? 1 : -1;
  }
  return edge.lastIndex;
}

const ESCAPE = /\\(?:u\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2})|(.))/g;

const NAMED_ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r" };

function unescaped(raw: string): Buffer {
  const parts: Buffer[] = [];
  let copied = 0;
  for (const match of raw.matchAll(ESCAPE)) {
    const [whole, codePoint, byte, character = ""] = match;
    parts.push(Buffer.from(raw.slice(copied, match.index)));
    if (codePoint !== undefined) parts.push(Buffer.from(String.fromCodePoint(Number.parseInt(codePoint, 16))));
    else if (byte !== undefined) parts.push(Buffer.from(byte, "hex"));
    else parts.push(Buffer.from(NAMED_ESCAPES[character] ?? character));
    copied = match.index + whole.length;
  }
  return Buffer.concat([...parts, Buffer.from(raw.slice(copied))]);
}

/** The word at a list's place; `undefined` where there is none. */
export function wordAt(list: List, index: number): string | undefined {
  const item = list.items[index];
  return item?.kind === "word" ? item.word : undefined;
}
