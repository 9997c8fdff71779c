/**
 * Artifacts made up of bytes, for tests of the cache alone: nothing executes them.
 *
 * @module
 */

import { utimes } from "node:fs/promises";
import { ARTIFACT_FORMAT, type CompiledArtifact } from "../../src/contract/artifact.ts";
import { digestOf } from "../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";

export const TEST_ENGINE = "test-1";

/** An artifact of the component with this text, with `bytes` of core module. */
export function artifactOf(component: string, bytes = 4, engine = TEST_ENGINE): CompiledArtifact {
  const files = new Map<string, Uint8Array>([
    ["component.js", Buffer.from(`export {} // ${component}`)],
    ["component.core.wasm", Buffer.alloc(bytes, component)],
  ]);
  return {
    manifest: {
      format: ARTIFACT_FORMAT,
      digest: digestOf(component),
      componentBytes: bytes,
      engine,
      files: Object.fromEntries([...files].map(([name, content]) => [name, digestOf(content)])),
      entry: "component.js",
      link: { kind: "refused", reason: "none was made" },
      coreModules: ["component.core.wasm"],
      imports: [],
      exports: [],
      memories: 1,
      makesObjects: false,
    },
    files,
  };
}

/** Makes it so that an artifact was last used that long before it stopped being in use. */
export async function agePastUse(directory: string, furtherMs = 0): Promise<void> {
  const then = new Date(Date.now() - FIXED_LIMITS.cacheKeepMs - 1_000 - furtherMs);
  await utimes(directory, then, then);
}
