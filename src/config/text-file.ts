/**
 * Reads one configuration file: bounded, UTF-8, a regular file. Anything else is a diagnostic, so that all
 * files of a folder can be reported at once.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { constants, type FileHandle, open } from "node:fs/promises";
import { digestOf } from "../contract/digest.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { type Diagnostic, FILE_START, type Parsed } from "./diagnostic.ts";

/** What a text file held when it was read. */
export interface TextFile {
  /** Without a byte order mark. */
  readonly text: string;
  /** Of its bytes. */
  readonly digest: Digest;
}

/** Reads `path`, of a bounded number of bytes. Never rejects. */
export async function readTextFile(
  path: string,
  maxBytes: number = FIXED_LIMITS.configFileBytes,
): Promise<Parsed<TextFile>> {
  let bytes: Buffer;
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile())
      return { ...invalid(path, "not a regular file; name a YAML file"), file: "unreadable" };
    bytes = await readAtMost(file, maxBytes + 1);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    const problem = invalid(path, `cannot be read (${describeSystemError(error)})`);
    return { ...problem, file: isGone ? "gone" : "unreadable" };
  }
  const decoded = decodeText(path, bytes, maxBytes);
  return decoded.kind === "invalid" ? decoded : { ...decoded, value: { text: decoded.value, digest: digestOf(bytes) } };
}

/** The text of a file's bytes; pure. */
export function decodeText(
  path: string,
  bytes: Buffer,
  maxBytes: number = FIXED_LIMITS.configFileBytes,
): Parsed<string> {
  if (bytes.length > maxBytes) {
    return invalid(path, `larger than ${maxBytes} bytes; split it or remove what is not configuration`);
  }
  if (!isUtf8(bytes)) {
    return invalid(path, "not UTF-8 in this line; save the file in UTF-8", firstLineThatIsNotUtf8(bytes));
  }
  return { kind: "valid", value: new TextDecoder().decode(bytes), warnings: [] };
}

/** What went wrong, in an operator's words and without a stack. */
export function describeSystemError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return "it does not exist";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOTDIR":
      return "a part of its path is not a folder";
    case "EISDIR":
      return "it is a folder";
    default:
      return typeof code === "string" ? code : String(error);
  }
}

async function readAtMost(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead } = await file.read(buffer, length, maxBytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** A line break is never part of a longer UTF-8 sequence, so the lines can be judged one by one. */
function firstLineThatIsNotUtf8(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (!isUtf8(bytes.subarray(start, end === -1 ? bytes.length : end))) return line;
    if (end === -1) return line;
    start = end + 1;
    line += 1;
  }
}

function invalid(file: string, message: string, line = FILE_START.line): Extract<Parsed<never>, { kind: "invalid" }> {
  const diagnostic: Diagnostic = { severity: "error", file, line, column: 1, message };
  return { kind: "invalid", errors: [diagnostic] };
}
