/**
 * Where the payload of `call` comes from: the argument itself, a file, or standard input.
 *
 * @module
 */

import { open } from "node:fs/promises";
import { PLUGIN_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import { parsePath } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** No plugin takes more than this. */
const MAX_BYTES = PLUGIN_LIMITS.payloadBytes.max;

/**
 * The bytes of a payload argument: `@file` is a file's content, `-` is standard input, `@@text` is `@text`,
 * all else stands for itself. Throws `usage-invalid` and `payload-too-large`.
 */
export async function readPayload(argument: string, stdin: Terminal["stdin"]): Promise<Uint8Array> {
  if (argument === "-") return await readStream(stdin);
  if (argument.startsWith("@@")) return Buffer.from(argument.slice(1));
  if (argument.startsWith("@")) return await readFile(argument.slice(1));
  return Buffer.from(argument);
}

async function readFile(text: string): Promise<Uint8Array> {
  const path = parsePath({ text, source: "@file" });
  try {
    await using file = await open(path, "r");
    return await readStream(file.createReadStream({ autoClose: false }));
  } catch (error) {
    if (error instanceof HostError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new HostError("usage-invalid", `@${text}: the payload's file cannot be read: ${why}`, { cause: error });
  }
}

async function readStream(stream: AsyncIterable<unknown>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > MAX_BYTES) {
      throw new HostError("payload-too-large", `the payload has more than ${MAX_BYTES} bytes, which no plugin takes`);
    }
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}
