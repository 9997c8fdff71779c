/** UTF-8 for plugins on QuickJS, which has no TextEncoder and no TextDecoder. */

const REPLACEMENT = 0xfffd;

/** Surrogates without a partner become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? REPLACEMENT;
    bytes.push(...encodePoint(point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point));
  }
  return Uint8Array.from(bytes);
}

function encodePoint(point: number): number[] {
  const continuation = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), continuation(0)];
  if (point < 0x1_0000) return [0xe0 | (point >> 12), continuation(6), continuation(0)];
  return [0xf0 | (point >> 18), continuation(12), continuation(6), continuation(0)];
}

/** Each longest part that begins a character and does not end it becomes one U+FFFD, as in every browser. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const { point, length } = decodePoint(bytes, at);
    text += String.fromCodePoint(point);
    at += length;
  }
  return text;
}

/** What a first byte promises: how many bytes follow it, and which second bytes are allowed. */
interface Lead {
  readonly following: number;
  readonly bits: number;
  readonly minSecond: number;
  readonly maxSecond: number;
}

function decodePoint(bytes: Uint8Array, at: number): { point: number; length: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { point: first, length: 1 };
  const lead = readLead(first);
  if (lead === undefined) return { point: REPLACEMENT, length: 1 };
  let point = lead.bits;
  for (let i = 1; i <= lead.following; i++) {
    // Beyond the end there is nothing, which is no continuation either.
    const byte = bytes[at + i] ?? 0;
    const [min, max] = i === 1 ? [lead.minSecond, lead.maxSecond] : [0x80, 0xbf];
    if (byte < min || byte > max) return { point: REPLACEMENT, length: i };
    point = (point << 6) | (byte & 0x3f);
  }
  return { point, length: lead.following + 1 };
}

// The limits of the second byte keep out overlong forms, surrogates, and what lies beyond U+10FFFF.
function readLead(first: number): Lead | undefined {
  const any = { minSecond: 0x80, maxSecond: 0xbf };
  if (first >= 0xc2 && first <= 0xdf) return { following: 1, bits: first & 0x1f, ...any };
  if (first >= 0xe0 && first <= 0xef) {
    const limits = first === 0xe0 ? { minSecond: 0xa0 } : first === 0xed ? { maxSecond: 0x9f } : {};
    return { following: 2, bits: first & 0x0f, ...any, ...limits };
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const limits = first === 0xf0 ? { minSecond: 0x90 } : first === 0xf4 ? { maxSecond: 0x8f } : {};
    return { following: 3, bits: first & 0x07, ...any, ...limits };
  }
  return undefined;
}
