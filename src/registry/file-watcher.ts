/**
 * Watches files for changes, however they are made: written in place, replaced by a rename, or swapped as a whole
 * folder behind a symbolic link (as config maps are), even to the same size and with the times set back. It watches
 * folders, since a watch on a file follows the old content after a rename. Changes close together are reported once.
 *
 * Watching many files costs little: above a number of files only folders are watched, and the regular look at all
 * files, including the comparison of contents, takes a small share of the time.
 *
 * @module
 */

import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { ContentPatrol } from "./content-patrol.ts";
import type { ReadContents } from "./read-contents.ts";

/** A burst of writes is over when no event came for this long. */
const SETTLE_MS = 150;
/** A burst without an end (a log written beside a watched file) is examined this often. */
const LONGEST_BURST_MS = 1_000;
/** If the file system does not report changes (network and some bind mounts), they are noticed this late. */
const POLL_MS = 5_000;
/** Looks and comparisons together take no more than this share of the time. */
const POLL_SHARE = 0.02;
/** After a long look at very many files, comparisons may take this part of its time in addition. */
const PATROL_PART = 0.25;
/** How many files named by the kernel's events are compared at once; the regular comparison covers the rest. */
const SUSPECT_FILES = 64;
/** Files that are examined in parallel. */
const LOOK_FILES = 32;

export interface FileWatcherOptions {
  /** The files and folders to watch now. Absolute paths. */
  readonly paths: () => readonly string[];
  /** Called after each burst of changes, with the paths that differ. Must not throw. */
  readonly changed: (paths: ReadonlySet<string>) => void;
  /** The last content that was read of each file. */
  readonly contents: ReadContents;
}

/** A folder with a watch in the kernel. */
interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** The folder that its path led to then; behind a link, it may be another one now. */
  readonly identity: string | undefined;
}

export class FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #patrol: ContentPatrol;
  readonly #watchers = new Map<string, WatchedFolder>();
  /** The state of each path at the last look. */
  #seen: ReadonlyMap<string, Look> = new Map();
  /** Files that events of the kernel have named since then. */
  #suspects = new Set<string>();
  #settle: NodeJS.Timeout | undefined;
  /** When the current burst began. */
  #stirredMs: number | undefined;
  #poll: NodeJS.Timeout | undefined;
  #state: "watching" | "closed" = "watching";

  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#patrol = new ContentPatrol(options.contents);
  }

  /** Records the present state and begins to watch. */
  async open(): Promise<void> {
    const startMs = performance.now();
    this.#seen = await lookAtAll(this.#options.paths());
    await this.#watchFolders();
    this.#planPoll(performance.now() - startMs);
  }

  /** Idempotent; nothing is reported afterwards. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#settle);
    clearTimeout(this.#poll);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #planPoll(tookMs: number): void {
    if (this.#state === "closed") return;
    this.#poll = setTimeout(() => void this.#pollOnce(), Math.max(POLL_MS, tookMs / POLL_SHARE));
    this.#poll.unref();
  }

  async #pollOnce(): Promise<void> {
    const startMs = performance.now();
    await this.#check();
    const lookMs = performance.now() - startMs;
    const budgetMs = Math.max(POLL_MS * POLL_SHARE - lookMs, lookMs * PATROL_PART);
    this.#report(await this.#patrol.walk(this.#options.paths(), budgetMs));
    this.#planPoll(performance.now() - startMs);
  }

  #report(changed: ReadonlySet<string>): void {
    if (this.#state === "watching" && changed.size > 0) this.#options.changed(changed);
  }

  async #watchFolders(): Promise<void> {
    const paths = this.#options.paths();
    const isMany = paths.length > FIXED_LIMITS.watchedFiles;
    const own = isMany ? paths.filter((path) => this.#seen.get(path)?.isFolder ?? false) : paths;
    const folders = new Set([...own, ...paths.map((path) => dirname(path))]);
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#unwatch(folder);
    const looks = await lookAtAll([...folders]);
    if (this.#state === "closed") return;
    for (const [folder, { identity }] of looks) {
      if (this.#watchers.get(folder)?.identity !== identity) this.#unwatch(folder);
      if (!this.#watchers.has(folder)) this.#watchFolder(folder, identity);
    }
  }

  #watchFolder(folder: string, identity: string | undefined): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => this.#stir(folder, name));
      // The folder was removed: its parent's watch and the poll still see what follows.
      watcher.on("error", () => this.#unwatch(folder));
      this.#watchers.set(folder, { watcher, identity });
    } catch {
      // It does not exist yet, or no watches are left: the poll sees it.
    }
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.watcher.close();
    this.#watchers.delete(folder);
  }

  #stir(folder: string, name: string | null): void {
    if (this.#state === "closed") return;
    // For a file with its own watch, the event has the file's name, and `folder` is the file.
    if (name !== null && this.#suspects.size < SUSPECT_FILES) this.#suspects.add(join(folder, name)).add(folder);
    const nowMs = performance.now();
    this.#stirredMs ??= nowMs;
    const leftMs = this.#stirredMs + LONGEST_BURST_MS - nowMs;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#check(), Math.max(0, Math.min(SETTLE_MS, leftMs)));
  }

  async #check(): Promise<void> {
    this.#stirredMs = undefined;
    const suspects = this.#suspects;
    this.#suspects = new Set();
    const before = this.#seen;
    const seen = await lookAtAll(this.#options.paths());
    const changed = differences(before, seen);
    for (const path of suspects) {
      if (seen.has(path) && !changed.has(path) && (await this.#patrol.differs(path))) changed.add(path);
    }
    if (this.#state === "closed") return;
    this.#seen = seen;
    if (changed.size === 0) return;
    this.#report(changed);
    await this.#watchFolders();
  }
}

/** What stat(2) says about a path. */
interface Look {
  readonly isFolder: boolean;
  /** Identifies the file; `undefined` if there is none. */
  readonly identity: string | undefined;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** The change time: unlike the modification time it cannot be set back, but not every file system keeps it. */
  readonly changedMs: number;
}

const ABSENT: Look = { isFolder: false, identity: undefined, bytes: 0, modifiedMs: 0, changedMs: 0 };

/** Examines a few at a time, so that requests are answered in between. */
async function lookAtAll(paths: readonly string[]): Promise<ReadonlyMap<string, Look>> {
  const seen = new Map<string, Look>();
  for (let at = 0; at < paths.length; at += LOOK_FILES) {
    const some = paths.slice(at, at + LOOK_FILES);
    const looks = await Promise.all(some.map(lookAt));
    for (const [index, path] of some.entries()) seen.set(path, looks[index] ?? ABSENT);
  }
  return seen;
}

async function lookAt(path: string): Promise<Look> {
  try {
    const info = await stat(path);
    return {
      isFolder: info.isDirectory(),
      identity: `${info.dev}:${info.ino}`,
      bytes: info.size,
      modifiedMs: info.mtimeMs,
      changedMs: info.ctimeMs,
    };
  } catch {
    return ABSENT;
  }
}

/** Paths that are new, removed or changed. */
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
  return (
    one.identity === other.identity &&
    one.bytes === other.bytes &&
    one.modifiedMs === other.modifiedMs &&
    one.changedMs === other.changedMs
  );
}
