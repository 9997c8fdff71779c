/**
 * Compiles and inspects components in a short-lived process with the fewest rights. The host itself never parses a
 * component and never evaluates an artifact.
 *
 * @module
 */

import { ENTRY_FILE } from "../../compiler/entry-file.ts";
import type { ComponentSummary } from "../../compiler/gate/summary.ts";
import { ARTIFACT_FORMAT, type CompiledArtifact } from "../../contract/artifact.ts";
import { digestOf } from "../../contract/digest.ts";
import { HostError } from "../../errors/host-error.ts";
import { parseReport } from "./compile-report.ts";
import { type CompilerRunOptions, runCompiler } from "./compiler-process.ts";
import { engineKey } from "./engine-key.ts";

/** The core modules of the generated code; the link plan names its own. */
const JCO_MODULE = /core[0-9]*\.wasm$/;

/**
 * Checks a component and compiles it. Takes from a tenth of a second to several, in another process. Throws
 * `component-rejected` with the gate's message, or `compile-failed`. The code that reads a component checks its size.
 */
export async function compileComponent(bytes: Uint8Array, options?: CompilerRunOptions): Promise<CompiledArtifact> {
  const { header, files } = parseReport(await runCompiler("compile", bytes, options));
  if (header.kind !== "compiled" || !files.has(ENTRY_FILE)) {
    throw new HostError("compile-failed", "the compiler's report is not about a compiled component");
  }
  const { summary, link } = header;
  return {
    manifest: {
      format: ARTIFACT_FORMAT,
      digest: digestOf(bytes),
      componentBytes: bytes.length,
      engine: await engineKey(),
      files: Object.fromEntries([...files].map(([name, content]) => [name, digestOf(content)])),
      entry: ENTRY_FILE,
      link,
      coreModules: [...files.keys()].filter((name) => JCO_MODULE.test(name)).sort(byModuleNumber),
      imports: summary.imports,
      exports: summary.exports,
      memories: summary.memories,
      makesObjects: summary.makesObjects,
    },
    files,
  };
}

/** Passes a component through the gate without compiling it. Throws as {@link compileComponent} does. */
export async function inspectComponent(bytes: Uint8Array, options?: CompilerRunOptions): Promise<ComponentSummary> {
  return parseReport(await runCompiler("inspect", bytes, options)).header.summary;
}

/** `component.core.wasm`, `component.core2.wasm`, ..., `component.core10.wasm`: the order in which the entry asks. */
function byModuleNumber(left: string, right: string): number {
  return moduleNumber(left) - moduleNumber(right);
}

function moduleNumber(name: string): number {
  return Number(/core([0-9]*)/.exec(name)?.[1] ?? 0);
}
