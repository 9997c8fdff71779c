/**
 * Exports a module's start function in place of its start section, so that whoever instantiates the module calls the function
 * afterwards, and may call it again.
 *
 * @module
 */

import { SECTION } from "../../../core-wasm/format.ts";
import type { ModuleEdits } from "./module-edits.ts";

const START_NAME = "state start";

/** Returns the name under which the start function is exported; `null` where the module has none. */
export function exportStart(edits: ModuleEdits): string | null {
  const { start } = edits.module;
  if (start === undefined) return null;
  edits.sections.remove(SECTION.start);
  edits.addExport(START_NAME, "func", start);
  return START_NAME;
}
