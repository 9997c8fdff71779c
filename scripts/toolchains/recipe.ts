/**
 * What a toolchain's recipe is: how one component is built, and by what.
 *
 * @module
 */

import { join } from "node:path";

import { ROOT } from "../lib/project.ts";

/** Built files that are not committed: toolchains' output, downloads, stamps. Git ignores it. */
export const CACHE = join(ROOT, ".cache", "examples");

/** A component's binary, and the toolchain that made it. */
export interface Built {
  readonly component: Uint8Array;
  /** Name and version. The same one makes the same bytes from the same sources. */
  readonly builtWith: string;
}

/** How to build one component. */
export interface Recipe {
  /** Where the component is kept, below the folder of its digest file. */
  readonly output: string;
  /** @throws {@link MissingToolchainError} */
  readonly build: () => Promise<Built>;
}

/** A toolchain that this machine does not have. The message says what to install. */
export class MissingToolchainError extends Error {
  override readonly name = "MissingToolchainError";
}
