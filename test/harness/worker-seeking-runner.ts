/**
 * The runner, which tries to start a thread when its first instance has been made, and says on stderr how that went.
 *
 * @module
 */

import process from "node:process";
import { Worker } from "node:worker_threads";
import { startRunner } from "../../src/runner/runner.ts";

function attempt(): string {
  try {
    const { threadId } = new Worker("", { eval: true });
    return `a thread started: ${threadId}`;
  } catch (error) {
    return `no thread: ${String((error as NodeJS.ErrnoException).code)}`;
  }
}

startRunner(process.argv[2], {
  noteStarted: () => console.error(attempt()),
  noteSnapshot: () => undefined,
  checkRestored: () => undefined,
});
