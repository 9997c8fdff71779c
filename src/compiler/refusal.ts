/**
 * Explains why the transpiler or V8 refuses a component. Their messages are about sections and offsets; an author needs to know
 * which module it is, what it does, and what to do.
 *
 * @module
 */

import { findBuildFault } from "../component/build-faults.ts";
import { moduleNameOf } from "../component/core/module-name.ts";
import type { CoreModule } from "../component/core/model.ts";
import { readComponent } from "../component/read-component.ts";
import { quote } from "../component/rejection.ts";
import { walkDefinitions } from "../component/walk.ts";

/** The part of a message to report: the first lines say what is wrong, the others where it was found. */
const MAX_WORDS_CHARACTERS = 300;

const PAGE = "docs/build-errors.md";

/**
 * Throws V8's error for the first core module that it refuses: the transpiler accepts proposals that no runner could load.
 */
export function requireV8(component: Uint8Array): void {
  for (const { bytes } of coreModules(component)) void new WebAssembly.Module(bytes);
}

/** The message for whatever the transpiler, or V8, threw about a component that passed the gate. */
export function describeRefusal(thrown: unknown, component: Uint8Array): string {
  const words = wordsOf(thrown);
  const fault = findBuildFault(words);
  const where = moduleOf(words, component);
  const said = `the compiler says: ${words}`;
  if (fault === undefined)
    return `the component could not be compiled; ${said}; check it with \`wasm-tools validate\`, and see ${PAGE}`;
  return `${where ?? "the component"} cannot be compiled: ${fault.cause}; ${fault.remedy}, and see ${PAGE} (${said})`;
}

/** In one line and printable. The transpiler throws errors with its message in `payload`. */
function wordsOf(thrown: unknown): string {
  const text = thrown instanceof Error ? String("payload" in thrown ? thrown.payload : thrown.message) : String(thrown);
  const line = text
    .replace(/\s+/g, " ")
    .replace(/[^\x20-\x7e]/g, "?")
    .trim();
  return line.length <= MAX_WORDS_CHARACTERS ? line : `${line.slice(0, MAX_WORDS_CHARACTERS)}...`;
}

/**
 * The module that the transpiler means. While it parses the component, its offsets are those of the file. Later, it gives
 * offsets within a module but does not say which; then V8 is asked, which refuses most of the same modules. None if the fault
 * is in how the component combines its modules.
 */
function moduleOf(words: string, component: Uint8Array): string | undefined {
  const modules = coreModules(component);
  const found = modules.find(isMeantBy(words));
  return found === undefined ? undefined : describeModule(found);
}

function coreModules(component: Uint8Array): CoreModule[] {
  return [...walkDefinitions(readComponent(component))]
    .filter((definition) => definition.kind === "core-module")
    .map(({ module }) => module);
}

function isMeantBy(words: string): (module: CoreModule) => boolean {
  if (words.includes("multiple memories")) return hasMemories;
  const [, hex] = /^failed to translate component .*\(at offset 0x([0-9a-f]{1,8})\)/.exec(words) ?? [];
  if (hex !== undefined) return (module) => holds(module, Number.parseInt(hex, 16));
  return isRefusedByV8;
}

function isRefusedByV8({ bytes }: CoreModule): boolean {
  try {
    void new WebAssembly.Module(bytes);
    return false;
  } catch {
    return true;
  }
}

function hasMemories({ imports, memories }: CoreModule): boolean {
  return memories.length + imports.filter(({ kind }) => kind === "memory").length > 1;
}

function holds({ place, bytes }: CoreModule, offset: number): boolean {
  return offset >= place.offset && offset < place.offset + bytes.length;
}

function describeModule({ place, bytes }: CoreModule): string {
  const name = moduleNameOf(bytes);
  const path = place.path.slice(place.path.lastIndexOf("core module"));
  return name === undefined ? path : `${path} (${quote(name)})`;
}
