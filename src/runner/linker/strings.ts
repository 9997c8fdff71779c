/**
 * Strings in a guest's memory, in the three encodings (component-model `CanonicalABI.md`, "Loading", `load_string`, and
 * "Storing", `store_string`). Reading ill-formed text traps. Writing turns a lone surrogate of JavaScript into U+FFFD.
 *
 * @module
 */

import type { StringEncoding } from "../../contract/link-plan.ts";
import { createTrap } from "../guest/trap.ts";
import type { LinearMemory } from "./linear-memory.ts";

/** Where strings come from and go to. */
export interface StringMemory {
  readonly memory: LinearMemory;
  /** Has the guest allocate `bytes` bytes. Traps unless they are aligned and within its memory. */
  allocate(align: number, bytes: number): number;
}

/** Reads and writes strings in one encoding. Traps for ill-formed or too long text, and for pointers out of bounds. */
export interface StringCodec {
  /** Reads a string of `length` units of the encoding. */
  load(cx: StringMemory, pointer: number, length: number): string;
  /** Writes a string into newly allocated memory. The returned object is valid until the next string is stored. */
  store(cx: StringMemory, text: string): StoredString;
}

/** Where a string was stored. The next string overwrites this one object. */
interface StoredString {
  pointer: number;
  length: number;
}

const stored: StoredString = { pointer: 0, length: 0 };

function storedAt(pointer: number, length: number): StoredString {
  stored.pointer = pointer;
  stored.length = length;
  return stored;
}

/** ASCII texts up to this length are read and written byte by byte: cheaper than a call of the decoder. */
const SHORT_LENGTH = 24;

/** `MAX_STRING_BYTE_LENGTH` */
const MAX_BYTES = 2 ** 31 - 1;

/** The bit of a length in `latin1+utf16` that marks text in UTF-16. */
const UTF16_TAG = 2 ** 31;

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16Decoder = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw createTrap("a string is not well-formed");
  }
}

function expectText(text: unknown): asserts text is string {
  if (typeof text !== "string") throw createTrap("a value is not a string");
}

const utf8: StringCodec = {
  load(cx, pointer, length) {
    const { memory } = cx;
    memory.check(pointer, length, 1);
    const { bytes } = memory;
    return shortAscii(bytes, pointer, length) ?? decode(utf8Decoder, bytes.subarray(pointer, pointer + length));
  },
  store(cx, text) {
    expectText(text);
    if (text.length <= SHORT_LENGTH && isAscii(text)) {
      const pointer = cx.allocate(1, text.length);
      const { bytes } = cx.memory;
      for (let index = 0; index < text.length; index += 1) bytes[pointer + index] = text.charCodeAt(index);
      return storedAt(pointer, text.length);
    }
    const encoded = Buffer.from(text, "utf8");
    if (encoded.length > MAX_BYTES) throw createTrap("a string is too long");
    const pointer = cx.allocate(1, encoded.length);
    cx.memory.bytes.set(encoded, pointer);
    return storedAt(pointer, encoded.length);
  },
};

function shortAscii(bytes: Uint8Array, pointer: number, length: number): string | undefined {
  if (length > SHORT_LENGTH) return undefined;
  let text = "";
  for (let at = pointer; at < pointer + length; at += 1) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

const utf16: StringCodec = {
  load: loadUtf16,
  store: (cx, text) => {
    expectText(text);
    return storeUtf16(cx, text, 0);
  },
};

function loadUtf16(cx: StringMemory, pointer: number, units: number): string {
  const { memory } = cx;
  memory.check(pointer, 2 * units, 2);
  return decode(utf16Decoder, memory.bytes.subarray(pointer, pointer + 2 * units));
}

/** `tag` is added to the length. */
function storeUtf16(cx: StringMemory, text: string, tag: number): StoredString {
  const encoded = Buffer.from(text.toWellFormed(), "utf16le");
  if (encoded.length > MAX_BYTES) throw createTrap("a string is too long");
  const pointer = cx.allocate(2, encoded.length);
  cx.memory.bytes.set(encoded, pointer);
  return storedAt(pointer, text.length + tag);
}

const latin1OrUtf16: StringCodec = {
  load(cx, pointer, length) {
    if (length >= UTF16_TAG) return loadUtf16(cx, pointer, length - UTF16_TAG);
    const { memory } = cx;
    memory.check(pointer, length, 2);
    // Buffer's `latin1` is ISO 8859-1; TextDecoder's is Windows-1252.
    return Buffer.from(memory.bytes.buffer, pointer, length).toString("latin1");
  },
  store(cx, text) {
    expectText(text);
    if (!isLatin1(text)) return storeUtf16(cx, text, UTF16_TAG);
    const pointer = cx.allocate(2, text.length);
    cx.memory.bytes.set(Buffer.from(text, "latin1"), pointer);
    return storedAt(pointer, text.length);
  },
};

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}

export const STRING_CODECS: Readonly<Record<StringEncoding, StringCodec>> = {
  utf8,
  utf16,
  "latin1+utf16": latin1OrUtf16,
};
