/**
 * JSON that others wrote, read without exceptions. Pure.
 *
 * @module
 */

/** The document; `undefined` where the bytes are not JSON in UTF-8. */
export function readJsonDocument(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const MAX_QUOTED = 120;

/** Others' words, for a message: short, in one line, in quotes. */
export function quotedShort(text: string): string {
  return JSON.stringify(text.slice(0, MAX_QUOTED));
}
