/**
 * Removes from jco's output:
 * - the calls of its debug helper, which reads `process.env` at every step of every call (a quarter to almost
 *   half of a warm call);
 * - its own fetching of core modules: the runner passes them in;
 * - its lenient UTF-8 decoder, which replaces what is ill-formed and drops a byte order mark: the canonical ABI
 *   traps on the one and keeps the other (CanonicalABI.md, "Loading", `load_string_from_range`).
 *
 * Afterwards, the code is checked to use nothing outside itself. The rewrite accepts only the shapes that it knows: output of
 * another shape is `compile-failed`.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import { scanJavaScript, type SourceSpan } from "./javascript-scanner.ts";

/** Pieces that occur exactly once; they are removed. */
const REMOVED_ONCE: readonly RegExp[] = [
  /^ *const _debugLog = \(\.\.\.args\) => \{\n *if \(!globalThis\?\.process\?\.env\?\.JCO_DEBUG\) \{ return; \}\n *console\.debug\(\.\.\.args\);\n *\};?\n/m,
  /^ *const fetchCompile = url => fetch\(url\)\.then\(WebAssembly\.compileStreaming\);\n/m,
  /^ *if \(!getCoreModule\) getCoreModule = \(name\) => fetchCompile\(new URL\(`\.\/\$\{name\}`, import\.meta\.url\)\);\n/m,
];

const LENIENT_DECODER = "const TEXT_DECODER_UTF8 = new TextDecoder();";
const STRICT_DECODER = 'const TEXT_DECODER_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });';

/** Identifiers that generated code must not use; as names of properties (`.process`, `process:`) they are harmless. */
const FORBIDDEN =
  /(?<![.\w$])(?:process|require|import|fetch|fetchCompile|eval|Function|_debugLog|globalThis(?!\??\.WebAssembly\b))(?![\w$:])/;

/** A statement of the debug helper, up to its arguments. */
const DEBUG_CALL = /^[ \t]*_debugLog\(/gm;

/** Rewrites the generated JavaScript. */
export function rewriteGenerated(source: string): string {
  let code = source;
  for (const piece of REMOVED_ONCE) code = removeOnce(code, piece);
  code = makeDecoderStrict(removeDebugCalls(code));
  assertClosed(code);
  return code;
}

function removeOnce(code: string, piece: RegExp): string {
  const parts = code.split(piece);
  if (parts.length === 2) return parts.join("");
  throw new HostError(
    "compile-failed",
    `the generated code has ${parts.length - 1} places in place of one that look like ${piece.source.slice(0, 60)}...; ` +
      "another version of jco needs another rewrite",
  );
}

/** Code that decodes no text has no decoder; code that decodes some has this one and no other for UTF-8. */
function makeDecoderStrict(code: string): string {
  const parts = code.split(LENIENT_DECODER);
  const decoders = code.split(/new TextDecoder\((?:\)|['"]utf-?8)/).length - 1;
  if (parts.length - 1 === decoders && decoders <= 1) return parts.join(STRICT_DECODER);
  throw new HostError("compile-failed", "the generated code decodes UTF-8 in a way that the rewrite does not know");
}

/** Replaces every statement `_debugLog(...);` by an empty one. */
function removeDebugCalls(code: string): string {
  const calls = findDebugCalls(code, scanJavaScript(code));
  let result = "";
  let from = 0;
  for (const { start, end } of calls) {
    result += `${code.slice(from, start)};`;
    from = end;
  }
  return result + code.slice(from);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function findDebugCalls(code: string, spans: readonly SourceSpan[]): Range[] {
  const calls: Range[] = [];
  let spanIndex = 0;
  for (const match of code.matchAll(DEBUG_CALL)) {
    const open = match.index + match[0].length - 1;
    while ((spans[spanIndex]?.end ?? Infinity) <= open) spanIndex += 1;
    if (spans[spanIndex]?.kind !== "code") continue;
    const end = closingParenthesis(code, spans, spanIndex, open) + 1;
    calls.push({ start: match.index, end: code[end] === ";" ? end + 1 : end });
  }
  return calls;
}

/** Index of the parenthesis that closes the one at `open`, which lies in span `spanIndex`. */
function closingParenthesis(code: string, spans: readonly SourceSpan[], spanIndex: number, open: number): number {
  let depth = 0;
  for (let current = spanIndex; current < spans.length; current += 1) {
    const span = spans[current];
    if (span?.kind !== "code") continue;
    for (let index = Math.max(open, span.start); index < span.end; index += 1) {
      if (code[index] === "(") depth += 1;
      if (code[index] === ")") depth -= 1;
      if (depth === 0) return index;
    }
  }
  throw new HostError("compile-failed", `the generated code has a call without an end at character ${open}`);
}

/** Throws unless the code, strings and comments aside, uses nothing but its parameters and the language itself. */
function assertClosed(code: string): void {
  for (const { kind, start, end } of scanJavaScript(code)) {
    if (kind !== "code") continue;
    const found = FORBIDDEN.exec(code.slice(start, end));
    if (found === null) continue;
    throw new HostError("compile-failed", `the generated code uses ${found[0]} at character ${start + found.index}`);
  }
}
