/**
 * Makes untrusted text (a plugin's log line, a caller's request id) safe to print: one line, no control sequences for a
 * terminal, no invisible or direction-changing characters, bounded length.
 *
 * @module
 */

/** Control, format (bidirectional overrides and the like), lone surrogate, line and paragraph separator. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const UNPRINTABLES = new RegExp(UNPRINTABLE.source, "gu");

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * The text in one printable line: unprintable characters become `\n`, `\t` or `\u{1b}`, and what exceeds `maxChars` is
 * cut.
 */
export function printableLine(text: string, maxChars: number): string {
  if (text.length <= maxChars) return escapeUnprintable(text);
  return `${escapeUnprintable(text.slice(0, maxChars))}… (${text.length - maxChars} more)`;
}

function escapeUnprintable(text: string): string {
  return UNPRINTABLE.test(text) ? text.replace(UNPRINTABLES, escapeCharacter) : text;
}

/** The same for text of several lines: line feeds and tabs stay, other unprintable characters are escaped. */
export function printableText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(UNPRINTABLES, (character) =>
      character === "\n" || character === "\t" ? character : escapeCharacter(character),
    );
}

function escapeCharacter(character: string): string {
  return SHORT_ESCAPES[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
