/**
 * Bytes as text that can be read and compared by eye: text in quotes, other bytes in hexadecimal, a byte that comes many
 * times as `78*300000`.
 *
 * @module
 */

/** Shorter ones may be text by chance. */
const LEAST_TEXT = 4;
const LEAST_RUN = 16;
const QUOTE = 0x27;
const TOKEN = /'([^']*)'|([0-9a-f]{2})(?:\*(\d+))?/y;

/** @returns the bytes of such a text. @throws where it is none. */
export function parseBytes(text: string): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length; at++) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (token === null) throw new RangeError(`no bytes: ${text.slice(at, at + 40)}`);
    const [whole, quoted, hex = "", times = "1"] = token;
    parts.push(quoted === undefined ? Buffer.alloc(Number(times), hex, "hex") : Buffer.from(quoted, "latin1"));
    at += whole.length;
    if (at < text.length && text[at] !== " ") throw new RangeError(`no space: ${text.slice(at, at + 40)}`);
  }
  return Buffer.concat(parts);
}

/** The text of bytes: the same for the same. */
export function formatBytes(bytes: Uint8Array): string {
  const tokens: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { token, length } = tokenAt(bytes, at);
    tokens.push(token);
    at += length;
  }
  return tokens.join(" ");
}

function tokenAt(bytes: Uint8Array, at: number): { readonly token: string; readonly length: number } {
  const byte = bytes[at] ?? 0;
  const hex = byte.toString(16).padStart(2, "0");
  const run = runAt(bytes, at);
  if (run >= LEAST_RUN) return { token: `${hex}*${run}`, length: run };
  const text = textAt(bytes, at);
  // A string's length, which comes before it, may be a letter's byte.
  if (text < LEAST_TEXT || byte === text - 1) return { token: hex, length: 1 };
  return { token: `'${Buffer.from(bytes.subarray(at, at + text)).toString("latin1")}'`, length: text };
}

/** How often the byte comes there. */
function runAt(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] === bytes[start]) at++;
  return at - start;
}

/** How long the text is there, up to the next long run. */
function textAt(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isText(bytes[at] ?? 0)) {
    const run = runAt(bytes, at);
    if (run >= LEAST_RUN) break;
    at += run;
  }
  return at - start;
}

function isText(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== QUOTE;
}
