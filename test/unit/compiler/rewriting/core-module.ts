/** Core modules for tests of their rewriting, out of WAT text. */

import type { CoreModule } from "../../../../src/component/core/model.ts";
import { readComponent } from "../../../../src/component/read-component.ts";
import { walkDefinitions } from "../../../../src/component/walk.ts";
import { assemble } from "../../../fixtures/wat/assemble.ts";

/** A module of these fields. */
export async function coreModule(fields: string): Promise<CoreModule> {
  const component = readComponent(await assemble(`(component (core module ${fields}))`));
  for (const definition of walkDefinitions(component)) if (definition.kind === "core-module") return definition.module;
  throw new Error("the component has no module");
}

/** The exports of a new instance. */
export function instantiateCore(bytes: Uint8Array, imports: WebAssembly.Imports = {}): Record<string, Exported> {
  const module = new WebAssembly.Module(Buffer.from(bytes));
  return new WebAssembly.Instance(module, imports).exports as Record<string, Exported>;
}

/** What a test finds under a name: it knows what it is. */
export type Exported = ((...values: unknown[]) => unknown) & WebAssembly.Memory & WebAssembly.Global;
