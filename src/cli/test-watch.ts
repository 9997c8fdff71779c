/**
 * `network-host test --watch`: runs the tests again whenever something changes that they depend on, until the process is
 * ended. A file that is invalid for a moment, or a plugin that cannot be loaded, ends nothing.
 *
 * @module
 */

import { dirname } from "node:path";
import { toHostError } from "../errors/host-error.ts";
import { FileWatcher } from "../registry/file-watcher.ts";
import { ReadContents } from "../registry/read-contents.ts";
import { shownPath } from "../testing/test-files.ts";
import { formatError } from "./error-report.ts";
import { styled, type Terminal, write } from "./terminal.ts";
import { runTests, type TestRunOptions } from "./test-run.ts";

/** Changed paths that are named. */
const MAX_NAMED = 3;

/** Resolves only where the output cannot be written to any more. */
export async function watchTests(options: TestRunOptions, terminal: Terminal): Promise<never> {
  let watched = new Set(options.files);
  let changed = new Set<string>();
  let wake: (() => void) | undefined;
  const watcher = new FileWatcher({
    paths: () => [...watched],
    contents: new ReadContents(),
    changed: (paths) => {
      for (const path of paths) changed.add(path);
      wake?.();
    },
  });
  // Before the first run, so that a change during it is not missed.
  await watcher.open();
  // The watcher does not keep the process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    for (;;) {
      watched = await runOnce(options, terminal, watched);
      await write(terminal.stderr, styled(terminal.stderr, "quiet", "waiting for changes; Ctrl-C ends it\n"));
      while (!isConcerned(changed, watched)) {
        changed = new Set();
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        await woken.promise;
      }
      await write(terminal.stderr, `\n${styled(terminal.stderr, "strong", `changed: ${named(changed)}`)}\n`);
      changed = new Set();
    }
  } finally {
    clearInterval(alive);
    watcher.close();
  }
}

/** Gives the paths that the next run depends on. */
async function runOnce(options: TestRunOptions, terminal: Terminal, before: ReadonlySet<string>): Promise<Set<string>> {
  const read = new Set<string>(options.files.length > 0 ? options.files : [process.cwd()]);
  try {
    await runTests(options, terminal, (paths) => {
      for (const path of paths) read.add(path);
    });
    return withFolders(read, options);
  } catch (thrown) {
    const error = toHostError(thrown);
    if (error.row.fault === "bug" || error.code === "output-failed") throw error;
    await write(terminal.stderr, formatError(error, terminal.stderr));
    // What an invalid file names is not known now; what it named before may be what is wrong.
    return withFolders(new Set([...before, ...read]), options);
  }
}

/** Where files were not named, a new one may come beside those that are there. */
function withFolders(paths: ReadonlySet<string>, { files }: TestRunOptions): Set<string> {
  const folders = files.length > 0 ? [] : [...paths].filter((path) => path.endsWith(".test.yaml")).map(dirname);
  return new Set([...paths, ...folders]);
}

function isConcerned(changed: ReadonlySet<string>, watched: ReadonlySet<string>): boolean {
  return [...changed].some((path) => watched.has(path));
}

function named(paths: ReadonlySet<string>): string {
  const all = [...paths].map(shownPath);
  const rest = all.length - MAX_NAMED;
  return `${all.slice(0, MAX_NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
