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

import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { FIXED_LIMITS } from "../contract/limits.ts";

/** A burst of writes is over when nothing more came for so long. */
const SETTLE_MS = 150;
/** One that has no end is looked at so often: a log that somebody writes beside a watched file is such. */
const LONGEST_BURST_MS = 1_000;
/** Where the file system does not report changes (network and some bind mounts), they are seen this late. */
const POLL_MS = 5_000;
/** A look takes no more than this share of the time. */
const POLL_SHARE = 0.02;
/** Files that are looked at side by side: requests are answered between two handfuls. */
const LOOK_FILES = 32;

export class FileWatcher {
  readonly #paths: () => readonly string[];
  readonly #changed: (paths: ReadonlySet<string>) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  /** What each path was at the last look. */
  #seen: ReadonlyMap<string, Look> = new Map();
  #settle: NodeJS.Timeout | undefined;
  /** When the burst under way began. */
  #stirredMs: number | undefined;
  #poll: NodeJS.Timeout | undefined;
  #state: "watching" | "closed" = "watching";

  /**
   * `paths` names the files and folders to watch at this moment; `changed` is called after each burst of changes,
   * with those that are not as they were.
   */
  constructor(paths: () => readonly string[], changed: (paths: ReadonlySet<string>) => void) {
    this.#paths = paths;
    this.#changed = changed;
  }

  /** Remembers how things are now and begins to watch. */
  async open(): Promise<void> {
    const startMs = performance.now();
    this.#seen = await this.#look();
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
    const isMany = paths.length > FIXED_LIMITS.watchedFiles;
    const own = isMany ? paths.filter((path) => this.#seen.get(path)?.isFolder ?? false) : paths;
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
    const nowMs = performance.now();
    this.#stirredMs ??= nowMs;
    const leftMs = this.#stirredMs + LONGEST_BURST_MS - nowMs;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#check(), Math.max(0, Math.min(SETTLE_MS, leftMs)));
  }

  async #check(): Promise<void> {
    this.#stirredMs = undefined;
    const before = this.#seen;
    const seen = await this.#look();
    if (this.#state === "closed") return;
    this.#seen = seen;
    const changed = differences(before, seen);
    if (changed.size === 0) return;
    this.#watchFolders();
    this.#changed(changed);
  }

  async #look(): Promise<ReadonlyMap<string, Look>> {
    const seen = new Map<string, Look>();
    const paths = this.#paths();
    for (let at = 0; at < paths.length; at += LOOK_FILES) {
      const some = paths.slice(at, at + LOOK_FILES);
      const looks = await Promise.all(some.map(lookAt));
      for (const [index, path] of some.entries()) seen.set(path, looks[index] ?? ABSENT);
    }
    return seen;
  }
}

/** What can be told of a file without reading it. */
interface Look {
  readonly isFolder: boolean;
  readonly inode: number;
  readonly bytes: number;
  readonly modifiedMs: number;
}

const ABSENT: Look = { isFolder: false, inode: 0, bytes: 0, modifiedMs: 0 };

async function lookAt(path: string): Promise<Look> {
  try {
    const info = await stat(path);
    return { isFolder: info.isDirectory(), inode: info.ino, bytes: info.size, modifiedMs: info.mtimeMs };
  } catch {
    return ABSENT;
  }
}

/** Paths that are new, gone or not the same. */
function differences(before: ReadonlyMap<string, Look>, now: ReadonlyMap<string, Look>): Set<string> {
  const changed = new Set<string>();
  for (const path of before.keys()) if (!now.has(path)) changed.add(path);
  for (const [path, look] of now) {
    const old = before.get(path);
    if (old === undefined || !isSame(old, look)) changed.add(path);
  }
  return changed;
}

function isSame(one: Look, other: Look): boolean {
  return one.inode === other.inode && one.bytes === other.bytes && one.modifiedMs === other.modifiedMs;
}
