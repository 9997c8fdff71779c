/**
 * Watches files for changes, whichever way they are made: written in place, replaced by a rename, or swapped
 * as a whole folder behind a symbolic link (as config maps are). Folders are watched, since a watch on a file
 * follows the old content after a rename. Changes close together are reported once.
 *
 * @module
 */

import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A burst of writes is over when nothing more came for so long. */
const SETTLE_MS = 150;
/** Where the file system does not report changes (network and some bind mounts), they are seen this late. */
const POLL_MS = 5_000;

export class FileWatcher {
  readonly #paths: () => readonly string[];
  readonly #changed: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #fingerprint = "";
  #settle: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #state: "watching" | "closed" = "watching";

  /** `paths` names the files and folders to watch at this moment; `changed` is called after each burst of changes. */
  constructor(paths: () => readonly string[], changed: () => void) {
    this.#paths = paths;
    this.#changed = changed;
  }

  /** Remembers how things are now and begins to watch. */
  async open(): Promise<void> {
    this.#fingerprint = await this.#look();
    this.#watchFolders();
    this.#poll = setInterval(() => void this.#check(), POLL_MS);
    this.#poll.unref();
  }

  /** Idempotent; nothing is reported afterwards. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#settle);
    clearInterval(this.#poll);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchFolders(): void {
    const folders = new Set(this.#paths().flatMap((path) => [path, dirname(path)]));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#stir());
      // A folder that went away: its parent's watch and the poll still see what comes next.
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // Not there yet, or no watches left: the poll sees it.
    }
  }

  #stir(): void {
    if (this.#state === "closed") return;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#check(), SETTLE_MS);
  }

  async #check(): Promise<void> {
    const fingerprint = await this.#look();
    if (this.#state === "closed" || fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#watchFolders();
    this.#changed();
  }

  /** What can be told of the watched files without reading them. */
  async #look(): Promise<string> {
    const lines = await Promise.all(
      this.#paths().map(async (path) => {
        try {
          const { ino, size, mtimeMs } = await stat(path);
          return `${path} ${ino} ${size} ${mtimeMs}`;
        } catch {
          return `${path} -`;
        }
      }),
    );
    return lines.join("\n");
  }
}
