/**
 * `npm run build`: compiles the host, completes the packages of `sdk/` and builds the examples that npm packages alone can build.
 *
 * @module
 */

import { CommandError } from "../lib/command.ts";
import { buildHost } from "./host.ts";
import { buildExamples } from "./examples.ts";
import { copyPackageBinaries } from "./package-binaries.ts";

try {
  console.log((await buildHost()) ? "dist/ built" : "dist/ is up to date");
  await copyPackageBinaries();
  await buildExamples();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
