/**
 * Many plugins out of one component: each different in its bytes, all the same in what they do.
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A consumer file and a policy folder in a folder of their own. */
export interface FleetFiles {
  readonly consumer: string;
  readonly policies: string;
}

const CUSTOM_SECTION = 0;
const SECTION_NAME = "fleet";

/** Writes `count` components that differ in a custom section. @returns their paths. */
export async function writeComponents(source: string, count: number, folder: string): Promise<string[]> {
  const bytes = await readFile(source);
  await mkdir(folder, { recursive: true });
  const paths = Array.from({ length: count }, (_, index) => join(folder, `component-${index}.wasm`));
  for (const [index, path] of paths.entries()) await writeFile(path, Buffer.concat([bytes, customSection(index)]));
  return paths;
}

/** Writes the files of a group of so many plugins, which take turns with the components. */
export async function writeFleet(plugins: number, components: readonly string[], folder: string): Promise<FleetFiles> {
  const files = { consumer: join(folder, "consumer.yaml"), policies: join(folder, "policies") };
  await mkdir(files.policies, { recursive: true });
  const lines = ["group: fleet", "plugins:"];
  for (let index = 0; index < plugins; index++) {
    const name = pluginName(index);
    lines.push(`  - name: ${name}`, `    component: ${components[index % components.length]}`);
    await writeFile(join(files.policies, `${name}.yaml`), `plugin: ${name}\nallow: []\n`);
  }
  await writeFile(files.consumer, `${lines.join("\n")}\n`);
  return files;
}

export function pluginName(index: number): string {
  return `fleet-${index}`;
}

/** Id, size, then a name with its length and the content (Binary.md, section 0). All lengths fit into one byte. */
function customSection(index: number): Buffer {
  const name = Buffer.from(SECTION_NAME);
  const content = Buffer.from(String(index));
  return Buffer.from([CUSTOM_SECTION, 1 + name.length + content.length, name.length, ...name, ...content]);
}
