/**
 * Plugins that differ in the size of their memory, assembled from one template.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco";

const TEMPLATE = new URL("memory.wat", import.meta.url);
const PAGE_BYTES = 64 * 1024;
/** Of which each request changes a byte. */
const PARTS = 16;

/** The template with a memory of so many bytes, a multiple of a page. */
export function memoryPluginText(template: string, bytes: number): string {
  if (bytes < PAGE_BYTES || bytes % PAGE_BYTES !== 0) throw new RangeError(`${bytes} bytes are not whole pages`);
  const values = { PAGES: bytes / PAGE_BYTES, BYTES: bytes, PART: bytes / PARTS };
  return template.replaceAll(/\{\{(PAGES|BYTES|PART)\}\}/g, (_, name: keyof typeof values) => String(values[name]));
}

/** Writes the component with a memory of so many bytes. @returns its path. */
export async function writeMemoryPlugin(bytes: number, folder: string): Promise<string> {
  const path = join(folder, `memory-${bytes}.wasm`);
  await writeFile(path, await parse(memoryPluginText(await readFile(TEMPLATE, "utf8"), bytes)));
  return path;
}
