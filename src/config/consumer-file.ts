/**
 * Reads a consumer file. A large one takes half a second to parse, and a YAML document cannot be parsed in pieces:
 * it is parsed on a thread of its own, while this one goes on serving.
 *
 * @module
 */

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import { type ConsumerDocument, parseConsumer } from "./consumer-document.ts";
import { configError, type Parsed } from "./diagnostic.ts";
import { readTextFile } from "./text-file.ts";

/** Below it, to start a thread takes longer than to parse. */
const THREAD_CHARACTERS = 32 * 1024;

/** Reads and parses the file at `path`. Components are not looked at. Throws only where the thread fails (`internal`). */
export async function readConsumerFile(path: string): Promise<Parsed<ConsumerDocument>> {
  const text = await readTextFile(path, FIXED_LIMITS.consumerFileBytes);
  if (text.kind === "invalid") return text;
  return text.value.length < THREAD_CHARACTERS
    ? parseConsumer(text.value, path)
    : await parseOnThread(text.value, path);
}

/** The document, or the errors, thrown as `config-invalid`. */
export function requireValid(parsed: Parsed<ConsumerDocument>): ConsumerDocument {
  if (parsed.kind === "invalid") throw configError(parsed.errors);
  return parsed.value;
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
