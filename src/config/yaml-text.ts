/**
 * Turns a YAML 1.2 text into plain data, and keeps the position of every part. One document of lists,
 * maps with text keys and core-schema scalars; it refuses everything that could make a short file mean something long or
 * surprising: anchors and aliases, tags, directives, several documents, deep nesting, duplicate keys.
 *
 * @module
 */

import {
  Composer,
  type CST,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type ParsedNode,
  visit,
} from "yaml";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { type DiagnosticList, FILE_START, type Position } from "./diagnostic.ts";

/** Keys and list indexes from the top of a document. */
export type Path = readonly PropertyKey[];

/** A text that was read as YAML. */
export interface YamlText {
  /** Plain data: objects, arrays, strings, numbers, booleans, null. */
  readonly data: unknown;
  /** Where the value at `path` begins; for a path that leads nowhere, its nearest parent. */
  valueAt(path: Path): Position;
  /** The position of the last key of `path`. */
  keyAt(path: Path): Position;
}

/**
 * Reads `text`. Problems go to `problems`; `undefined` means that there is no usable data. If
 * the only problems are duplicate keys, there is: the last of each counts, so that the rest of the file is checked, too.
 */
export function readYaml(text: string, problems: DiagnosticList): YamlText | undefined {
  const lines = new LineCounter();
  const position = (offset: number): Position => toPosition(lines, offset);
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  if (reportRefusedTokens(tokens, position, problems)) return undefined;
  const documents = [
    ...new Composer({ prettyErrors: false, stringKeys: true, merge: false, logLevel: "silent" }).compose(
      tokens,
      true,
      text.length,
    ),
  ];
  const [document, second] = documents;
  if (document === undefined) return undefined;
  if (second !== undefined) {
    problems.error(position(second.range[0]), "a second document; keep one document in a file");
    return undefined;
  }
  if (reportSyntaxErrors(document, position, problems)) return undefined;
  reportPrototypeKeys(document, position, problems);
  return {
    data: document.toJS() as unknown,
    valueAt: (path) => position(startOf(findNode(document, path))),
    keyAt: (path) => position(startOf(findKey(document, path) ?? findNode(document, path))),
  };
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  // An empty text has no first line as far as the counter knows.
  return line === 0 ? FILE_START : { line, column: col };
}

const REFUSED_TOKENS: Readonly<Record<string, string>> = {
  anchor: "anchors are not allowed; write the value out where it is needed",
  alias: "aliases are not allowed; write the value out",
  tag: "tags are not allowed; write the value plainly, texts in quotes",
  directive: "directives are not allowed; remove the line",
};

/** Walks the concrete syntax without recursion: the text may be nested deeper than the stack is. */
function reportRefusedTokens(
  tokens: readonly CST.Token[],
  position: (offset: number) => Position,
  problems: DiagnosticList,
): boolean {
  let refused = false;
  const report = (offset: number, message: string): void => {
    problems.error(position(offset), message);
    refused = true;
  };
  const pending = tokens.map((token) => ({ token, depth: 0 }));
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const { token, depth } = entry;
    const message = REFUSED_TOKENS[token.type];
    if (message !== undefined) report(token.offset, message);
    if (depth > FIXED_LIMITS.configDepth) {
      report(token.offset, `nested more than ${FIXED_LIMITS.configDepth} levels deep; no document needs that`);
      break;
    }
    for (const child of childrenOf(token)) {
      pending.push({ token: child, depth: depth + (isCollection(child) ? 1 : 0) });
    }
  }
  return refused;
}

function isCollection(token: CST.Token): boolean {
  return token.type === "block-map" || token.type === "block-seq" || token.type === "flow-collection";
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === "document") return [...token.start, ...(token.value === undefined ? [] : [token.value])];
  if (token.type !== "block-map" && token.type !== "block-seq" && token.type !== "flow-collection") return [];
  const children: CST.Token[] = [];
  for (const item of token.items) {
    children.push(...item.start, ...(item.sep ?? []));
    if (item.key !== undefined && item.key !== null) children.push(item.key);
    if (item.value !== undefined) children.push(item.value);
  }
  return children;
}

type YamlDocument = Document.Parsed;

/** True when the data cannot be trusted, that is, for everything but duplicate keys. */
function reportSyntaxErrors(
  document: YamlDocument,
  position: (offset: number) => Position,
  problems: DiagnosticList,
): boolean {
  let fatal = false;
  for (const { code, message, pos } of document.errors) {
    if (code === "DUPLICATE_KEY") {
      problems.error(position(pos[0]), "this key stands here a second time; keep one of them");
      continue;
    }
    const what = code === "NON_STRING_KEY" ? "a key must be a plain text" : message.replace(/\s+/g, " ");
    problems.error(position(pos[0]), `not valid YAML: ${what}`);
    fatal = true;
  }
  return fatal;
}

/** Schema checks silently skip this one key, and nothing that an operator writes may be skipped. */
function reportPrototypeKeys(
  document: YamlDocument,
  position: (offset: number) => Position,
  problems: DiagnosticList,
): void {
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.value !== "__proto__") return;
      problems.error(position(key.range?.[0] ?? 0), "the key __proto__ cannot be used; choose another name");
    },
  });
}

function startOf(node: ParsedNode | null): number {
  return node?.range[0] ?? 0;
}

function findNode(document: YamlDocument, path: Path): ParsedNode | null {
  let node: ParsedNode | null = document.contents;
  for (const step of path) {
    const child = childOf(node, step);
    if (child === undefined || child === null) break;
    node = child;
  }
  return node;
}

function childOf(node: ParsedNode | null, step: PropertyKey): ParsedNode | null | undefined {
  if (isSeq(node)) return typeof step === "number" ? node.items[step] : undefined;
  return pairOf(node, step)?.value;
}

function findKey(document: YamlDocument, path: Path): ParsedNode | undefined {
  const last = path.at(-1);
  return last === undefined ? undefined : pairOf(findNode(document, path.slice(0, -1)), last)?.key;
}

/** The last pair of that name, the one whose value counts. */
function pairOf(
  node: ParsedNode | null,
  name: PropertyKey,
): { readonly key: ParsedNode; readonly value: ParsedNode | null } | undefined {
  if (!isMap(node)) return undefined;
  return node.items.findLast(({ key }) => isScalar(key) && String(key.value) === name);
}
