/**
 * Writes a blob to a new file as it arrives. The bytes pass through memory in pieces: one is written while the next arrives, and
 * what is written goes to the disk meanwhile, so that little is left for a sync at the end.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import { KIB, MIB } from "../contract/limit-row.ts";

/** Written at once: the chunks of a connection are so small that most of the time would go into asking for each. */
const PIECE_BYTES = 256 * KIB;
/** Written until the disk is asked to take it. */
const FLUSH_BYTES = 4 * MIB;

/** Resolves when the file has the whole content, and the disk most of it. Throws what the blob throws; the file then has a part of it. */
export async function writeBlob(file: FileHandle, blob: AsyncIterable<Buffer>): Promise<void> {
  let writing = Promise.resolve();
  let flushing: Promise<void> | undefined;
  let unflushedBytes = 0;
  for await (const piece of inPieces(blob)) {
    await writing;
    writing = handled(file.writeFile(piece));
    unflushedBytes += piece.length;
    if (unflushedBytes < FLUSH_BYTES || flushing !== undefined) continue;
    unflushedBytes = 0;
    flushing = handled(file.datasync().finally(() => (flushing = undefined)));
  }
  await writing;
  // It throws what a flush did: the file must not get its name where the disk is full.
  await flushing;
}

/** Chunks, put together. */
async function* inPieces(blob: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of blob) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(chunks);
    chunks = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(chunks);
}

/** It is awaited later: until then nobody may have asked for its error. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}
