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
import { formatError } from "./error-report.ts";
import { shownPath, styled, type Terminal, write } from "./terminal.ts";
import { runTests, type TestRunOptions } from "./test-run.ts";

/** Changed paths that are named. */
const MAX_NAMED = 3;

/** Rejects where the output cannot be written to any more; never resolves. */
export async function watchTests(options: TestRunOptions, terminal: Terminal): Promise<never> {
  const watch = new PathWatch();
  // The watches do not keep the process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    for (;;) {
      await runOnce(options, terminal, watch);
      await write(terminal.stderr, styled(terminal.stderr, "quiet", "waiting for changes; Ctrl-C ends it\n"));
      const changed = await watch.change();
      await write(terminal.stderr, `\n${styled(terminal.stderr, "strong", `changed: ${named(changed)}`)}\n`);
    }
  } finally {
    clearInterval(alive);
    watch.close();
  }
}

async function runOnce(options: TestRunOptions, terminal: Terminal, watch: PathWatch): Promise<void> {
  // Where files were not named, a new one may come beside those that are there.
  const withFolders = (paths: ReadonlySet<string>): ReadonlySet<string> =>
    options.files.length > 0 ? paths : new Set([...paths, process.cwd(), ...[...paths].map((path) => dirname(path))]);
  try {
    await runTests(options, terminal, (paths) => watch.look(withFolders(paths)));
  } catch (thrown) {
    const error = toHostError(thrown);
    if (error.row.fault === "bug" || error.code === "output-failed") throw error;
    await write(terminal.stderr, formatError(error, terminal.stderr));
  }
}

/** Watches a set of paths, which may become another one. Of paths in both sets, no change is missed in between. */
class PathWatch {
  #watcher: FileWatcher | undefined;
  #paths: ReadonlySet<string> = new Set();
  readonly #changed = new Set<string>();
  #wake: (() => void) | undefined;

  /** Paths of files, and of folders in which files come and go. */
  async look(paths: ReadonlySet<string>): Promise<void> {
    if (paths.symmetricDifference(this.#paths).size === 0) return;
    const watcher = new FileWatcher({
      paths: () => [...paths],
      contents: new ReadContents(),
      changed: (changed) => {
        for (const path of changed) this.#changed.add(path);
        this.#wake?.();
      },
    });
    await watcher.open();
    this.#watcher?.close();
    this.#watcher = watcher;
    this.#paths = paths;
  }

  /** Resolves with the paths that have changed since the last call, once there are some. */
  async change(): Promise<ReadonlySet<string>> {
    if (this.#changed.size === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
    const changed = new Set(this.#changed);
    this.#changed.clear();
    return changed;
  }

  close(): void {
    this.#watcher?.close();
  }
}

/** Files rather than the folders that changed with them. */
function named(paths: ReadonlySet<string>): string {
  const all = [...paths].filter((path) => ![...paths].some((other) => dirname(other) === path)).map(shownPath);
  const rest = all.length - MAX_NAMED;
  return `${all.slice(0, MAX_NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
