/**
 * One policy file on its own, for commands that try one plugin.
 *
 * @module
 */

import { configError } from "./diagnostic.ts";
import { parsePolicy, type PolicyDocument } from "./policy-document.ts";
import { readTextFile } from "./text-file.ts";

/** Reads one policy. Throws `config-invalid` with a line for every problem. */
export async function loadPolicyFile(path: string): Promise<PolicyDocument> {
  const file = await readTextFile(path);
  const parsed = file.kind === "valid" ? parsePolicy(file.value.text, path) : file;
  if (parsed.kind === "invalid") throw configError(parsed.errors);
  return parsed.value;
}
