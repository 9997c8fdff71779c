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
  // `network-host call … | head`: the reader has enough.
  if (error.code === "EPIPE") process.exit(EXIT.brokenPipe);
  // Code that waits for a write reports its failure. Nothing waits for a help text.
  unwritten = error;
});
// There is no other place to report it.
process.stderr.on("error", () => undefined);

const code = await runProgram(process.argv.slice(2), process, {
  // Only `serve` needs what is behind it: the others start without loading it.
  startApp: async (options) => (await import("../app.ts")).startApp(options),
  signals: process,
  // One that was hung up is not a terminal any more.
  isTerminalGone: () => terminals.length > 0 && !terminals.some((descriptor) => isatty(descriptor)),
  exit: (exitCode) => process.exit(exitCode),
});
// A failed write is reported a moment later.
await turn();
// Output must be flushed first. Anything else that holds the event loop had its chance to close.
if (process.stdout.writableLength > 0) await writeLast(process.stdout, "");
process.exit(code === EXIT.ok && unwritten !== undefined ? EXIT.failed : code);
