#!/usr/bin/env node
/**
 * The executable: arguments → command → exit code.
 *
 * @module
 */

import { EXIT } from "./cli/exit-codes.ts";
import { runProgram } from "./cli/program.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // `network-host call … | head`: whoever read is satisfied.
  if (error.code === "EPIPE") process.exit(EXIT.brokenPipe);
  throw error;
});

const code = await runProgram(process.argv.slice(2), process, {
  // Only `serve` needs what is behind it: the others start without loading it.
  startApp: async (options) => (await import("./app.ts")).startApp(options),
  signals: process,
  exit: (exitCode) => process.exit(exitCode),
});
// What was written must be out first. Whatever else holds the event loop has had its chance to close.
process.stdout.write("", () => process.exit(code));
