import type { Readable } from "node:stream";
import { onTestFailed } from "vitest";

/**
 * Keeps what a child process of the test complains of until the test fails, and shows it then. Passed on as it comes, it
 * looks like a failure of the tests' own.
 *
 * @returns what it has complained of so far
 */
export function keepOutput(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  onTestFailed(() => console.error(text));
  return () => text;
}
