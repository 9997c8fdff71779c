import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { ROOT } from "../../../scripts/lib/project.ts";
import { keepOutput } from "../child-output.ts";

/** `npm test` on tests of the test's own. */
export interface NestedTests {
  readonly folder: string;
  readonly child: ChildProcess;
  /** All of its standard output, when it has ended. */
  readonly output: Promise<string>;
  /** What it has written to standard error so far. */
  readonly errors: () => string;
}

/**
 * Starts `npm test` on files, each a name and its text; tests are named `*.test.js`. What it prints stays with the test.
 *
 * @param settings of vitest, beside the usual
 */
export async function runTests(
  files: Readonly<Record<string, string>>,
  { settings = {}, env = {} }: { readonly settings?: object; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<NestedTests> {
  const folder = await mkdtemp(join(tmpdir(), "nested-tests-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = { test: { globals: true, include: ["*.test.js"], testTimeout: 600_000, ...settings } };
  await writeFile(join(folder, "vitest.config.mjs"), `export default ${JSON.stringify(config)};`);
  for (const [name, body] of Object.entries(files)) await writeFile(join(folder, name), body);
  const program = join(ROOT, "scripts/test/main.ts");
  const child = spawn(process.execPath, [program, "--root", folder, "--config", join(folder, "vitest.config.mjs")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: folder, NO_COLOR: "1", VITEST: undefined, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { folder, child, output: text(child.stdout), errors: keepOutput(child.stderr) };
}
