/**
 * Where editors find the package's JSON Schemas, as a file in a folder beside them says it.
 *
 * @module
 */

import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const SCHEMAS = fileURLToPath(new URL("../../schemas", import.meta.url));

/** A policy's text with its `$schema` line as it has to be in `policy/` below the working directory. */
export function withSchemaOfPackage(policy: string, cwd: string = process.cwd()): string {
  const path = relative(join(cwd, "policy"), SCHEMAS);
  // The package is in the project, or somewhere else of the machine.
  const folder = path.startsWith(join("..", "..")) ? SCHEMAS : path;
  return policy.replace("$schema=../schemas/", () => `$schema=${folder}/`);
}
