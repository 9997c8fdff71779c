/**
 * Reads a consumer file. A large one takes half a second to parse, and a YAML document cannot be parsed in pieces:
 * so it is parsed on another thread while this one keeps serving.
 *
 * @module
 */

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { type ConsumerDocument, parseConsumer } from "./consumer-document.ts";
import type { Parsed } from "./diagnostic.ts";
import { ParsedFiles } from "./parsed-files.ts";
import { readTextFile } from "./text-file.ts";

/** Below this size, starting a thread takes longer than parsing. */
const THREAD_CHARACTERS = 32 * 1024;

/**
 * A consumer file that is read repeatedly; components are not read. `onRead` is called with each content that was read.
 * `load` throws only if the thread fails (`internal`).
 */
export function createConsumerFile(onRead?: (path: string, digest: Digest) => void): ParsedFiles<ConsumerDocument> {
  return new ParsedFiles({
    read: (path) => readTextFile(path, FIXED_LIMITS.consumerFileBytes),
    parse: (text, path) => (text.length < THREAD_CHARACTERS ? parseConsumer(text, path) : parseOnThread(text, path)),
    ...(onRead !== undefined && { onRead }),
  });
}

async function parseOnThread(text: string, file: string): Promise<Parsed<ConsumerDocument>> {
  const program = new URL(`./consumer-thread${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(program, { workerData: { text, file }, env: {}, execArgv: [] });
  const { promise, resolve, reject } = Promise.withResolvers<Parsed<ConsumerDocument>>();
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", () =>
    reject(new HostError("internal", `the thread that parses ${file} ended without an answer`)),
  );
  try {
    return await promise;
  } finally {
    await worker.terminate();
  }
}
