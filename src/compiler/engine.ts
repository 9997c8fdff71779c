/**
 * The jco engine's compiler: component → JavaScript and core modules.
 *
 * @module
 */

import { transpile } from "@bytecodealliance/jco/component";
import { asyncImports } from "../capabilities/async-imports.ts";
import { HANDLER } from "../contract/interface-names.ts";
import { ENTRY_FILE } from "./entry-file.ts";
import { rewriteGenerated } from "./rewrite.ts";

/** What the generator made of a component: file name → content. */
export type CompiledFiles = ReadonlyMap<string, Uint8Array>;

/** Both functions of the handler may suspend, since what they import may. */
const ASYNC_EXPORTS: readonly string[] = [`${HANDLER}#get-access-levels`, `${HANDLER}#handle-request`];

/**
 * Transpiles a component that passed the gate and imports the interfaces `imports`. After it throws, the
 * transpiler is unusable: end the process.
 */
export async function compileWithJco(bytes: Uint8Array, imports: readonly string[]): Promise<CompiledFiles> {
  const { files } = await transpile(bytes, {
    name: "component",
    // Never ES module output: it binds a guest's imports to built-in modules of Node.
    instantiation: { tag: "async" },
    asyncMode: { tag: "jspi", val: { imports: asyncImports(imports), exports: [...ASYNC_EXPORTS] } },
    // The transpiler takes exceptions of the standard form. What it makes of components without any stays the same.
    bindgenEnableWasmExnref: true,
    noTypescript: true,
    noNodejsCompat: true,
    // Core modules stay files of their own.
    base64Cutoff: 0,
    map: [],
  });
  return new Map(files.map(([name, content]) => [name, name === ENTRY_FILE ? rewriteEntry(content) : content]));
}

function rewriteEntry(content: Uint8Array): Uint8Array {
  return Buffer.from(rewriteGenerated(Buffer.from(content).toString("utf8")), "utf8");
}
