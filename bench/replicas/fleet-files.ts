/**
 * Many plugins out of one component: each different in its bytes, all the same in what they do.
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReplicaFiles, writeReplicaFiles } from "./replica.ts";

const CUSTOM_SECTION = 0;
const SECTION_NAME = "fleet";
const DEFAULT_FLEET = "fleet";

/** Writes `count` components that differ in a custom section. @returns their paths. */
export async function writeComponents(source: string, count: number, folder: string): Promise<string[]> {
  const bytes = await readFile(source);
  await mkdir(folder, { recursive: true });
  const paths = Array.from({ length: count }, (_, index) => join(folder, `component-${index}.wasm`));
  for (const [index, path] of paths.entries()) await writeFile(path, marked(bytes, String(index)));
  return paths;
}

/** The same component with other bytes: a custom section more. @param mark has less than a hundred characters */
export function marked(component: Uint8Array, mark: string): Buffer {
  return Buffer.concat([component, customSection(mark)]);
}

/** The same component, made larger by a custom section with these bytes. */
export function padded(component: Uint8Array, padding: Uint8Array): Buffer {
  const name = Buffer.from(SECTION_NAME);
  const size = leb128(1 + name.length + padding.length);
  return Buffer.concat([component, Buffer.from([CUSTOM_SECTION, ...size, name.length, ...name]), padding]);
}

/** A number as WebAssembly writes it: seven bits a byte, the lowest first. */
function leb128(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...leb128(Math.floor(value / 0x80))];
}

/**
 * Writes the files of a group of so many plugins, which take turns with the components. Fleets that run at the same
 * time have different names.
 */
export function writeFleet(
  plugins: number,
  components: readonly string[],
  folder: string,
  fleet: string = DEFAULT_FLEET,
): Promise<ReplicaFiles> {
  const served = Array.from({ length: plugins }, (_, index) => ({
    name: pluginName(index, fleet),
    component: components[index % components.length] ?? "",
    allow: [],
  }));
  return writeReplicaFiles("fleet", served, folder);
}

export function pluginName(index: number, fleet: string = DEFAULT_FLEET): string {
  return `${fleet}-${index}`;
}

/** Id, size, then a name with its length and the content (Binary.md, section 0). All lengths fit into one byte. */
function customSection(mark: string): Buffer {
  const name = Buffer.from(SECTION_NAME);
  const content = Buffer.from(mark);
  return Buffer.from([CUSTOM_SECTION, 1 + name.length + content.length, name.length, ...name, ...content]);
}
