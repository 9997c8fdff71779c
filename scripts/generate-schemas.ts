/**
 * Writes schemas/*.schema.json from the shapes in src/config. With `--check`, only compares.
 *
 * @module
 */

import { publishedSchemas } from "../src/config/published-schemas.ts";
import { formatText, writeOrCheck } from "./generated-file.ts";

/** File of the project → its text. */
export async function generateSchemas(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const [name, schema] of publishedSchemas()) {
    const file = `schemas/${name}`;
    files.set(file, await formatText(file, JSON.stringify(schema, undefined, 2)));
  }
  return files;
}

if (import.meta.main) await writeOrCheck(await generateSchemas(), "node scripts/generate-schemas.ts");
