/**
 * CMake for the tests of authors in C: the machine's, or else the one of PyPI, which brings Ninja along.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { findOnPath } from "../../scripts/lib/command.ts";
import { obtainFromPyPI } from "../../scripts/toolchains/python-tool.ts";

const REQUIREMENTS = ["cmake==3.31.6", "ninja==1.11.1.4"];

/** @returns what has to be in the environment of a command that runs CMake: a folder for `PATH`, and variables. */
export async function obtainCMake(cache: string): Promise<{ path: string; env: Readonly<Record<string, string>> }> {
  const [cmake, make] = [await findOnPath("cmake"), await findOnPath("make")];
  if (cmake !== undefined && make !== undefined) return { path: dirname(cmake), env: {} };
  const ninja = await obtainFromPyPI(join(cache, "cmake"), REQUIREMENTS, "ninja");
  return { path: dirname(ninja), env: { CMAKE_GENERATOR: "Ninja" } };
}
