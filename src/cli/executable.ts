/**
 * The process: arguments → command → exit code. Whatever happens to its outputs, it ends.
 *
 * @module
 */

import { setImmediate as turn } from "node:timers/promises";
import { isatty } from "node:tty";
import { EXIT } from "./exit-codes.ts";
import { runProgram } from "./program.ts";
import { writeLast } from "./terminal.ts";

/** Standard input, output and error, as far as they were terminals at the start. */
const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));

let unwritten: Error | undefined;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // `network-host call … | head`: whoever read is satisfied.
  if (error.code === "EPIPE") process.exit(EXIT.brokenPipe);
  // Who waits for a write reports it. Nobody waits for a help text.
  unwritten = error;
});
// What cannot be said there cannot be said anywhere.
process.stderr.on("error", () => undefined);

const code = await runProgram(process.argv.slice(2), process, {
  // Only `serve` needs what is behind it: the others start without loading it.
  startApp: async (options) => (await import("../app.ts")).startApp(options),
  signals: process,
  // One that was hung up is not a terminal any more.
  isTerminalGone: () => terminals.length > 0 && !terminals.some((descriptor) => isatty(descriptor)),
  exit: (exitCode) => process.exit(exitCode),
});
// A write that failed is told of a moment later.
await turn();
// What was written must be out first. Whatever else holds the event loop has had its chance to close.
if (process.stdout.writableLength > 0) await writeLast(process.stdout, "");
process.exit(code === EXIT.ok && unwritten !== undefined ? EXIT.failed : code);
