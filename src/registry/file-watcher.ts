/**
 * Watches files for changes, whichever way they are made: written in place, replaced by a rename, or swapped
 * as a whole folder behind a symbolic link (as config maps are). Folders are watched, since a watch on a file
 * follows the old content after a rename. Changes close together are reported once.
 *
 * However many files there are, watching them costs little: beyond a number of them only folders are watched, and
 * the regular look at all of them takes a small share of the time.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { FIXED_LIMITS } from "../contract/limits.ts";

/** A burst of writes is over when nothing more came for so long. */
const SETTLE_MS = 150;
/** Where the file system does not report changes (network and some bind mounts), they are seen this late. */
const POLL_MS = 5_000;
/** A look takes no more than this share of the time. */
const POLL_SHARE = 0.02;
/** Files that are looked at side by side: requests are answered between two handfuls. */
const LOOK_FILES = 32;

export class FileWatcher {
  readonly #paths: () => readonly string[];
  readonly #changed: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #fingerprint = "";
  /** Watched paths that were folders at the last look. */
  #folders: ReadonlySet<string> = new Set();
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
    const startMs = performance.now();
    this.#fingerprint = await this.#look();
    this.#watchFolders();
    this.#planPoll(performance.now() - startMs);
  }

  /** Idempotent; nothing is reported afterwards. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#settle);
    clearTimeout(this.#poll);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #planPoll(lookMs: number): void {
    if (this.#state === "closed") return;
    this.#poll = setTimeout(() => void this.#pollOnce(), Math.max(POLL_MS, lookMs / POLL_SHARE));
    this.#poll.unref();
  }

  async #pollOnce(): Promise<void> {
    const startMs = performance.now();
    await this.#check();
    this.#planPoll(performance.now() - startMs);
  }

  #watchFolders(): void {
    const paths = this.#paths();
    const own = paths.length <= FIXED_LIMITS.watchedFiles ? paths : this.#folders;
    const folders = new Set([...own, ...paths.map((path) => dirname(path))]);
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
    const hash = createHash("sha256");
    const folders = new Set<string>();
    const paths = this.#paths();
    for (let at = 0; at < paths.length; at += LOOK_FILES) {
      const looks = await Promise.all(paths.slice(at, at + LOOK_FILES).map(lookAt));
      for (const { path, isFolder, line } of looks) {
        hash.update(line);
        if (isFolder) folders.add(path);
      }
    }
    this.#folders = folders;
    return hash.digest("base64");
  }
}

async function lookAt(path: string): Promise<{ path: string; isFolder: boolean; line: string }> {
  try {
    const info = await stat(path);
    return { path, isFolder: info.isDirectory(), line: `${path} ${info.ino} ${info.size} ${info.mtimeMs}\n` };
  } catch {
    return { path, isFolder: false, line: `${path} -\n` };
  }
}
