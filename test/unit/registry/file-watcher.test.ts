import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { ReadContents } from "../../../src/registry/read-contents.ts";
import { FileWatcher } from "../../../src/registry/file-watcher.ts";

describe("watching files", () => {
  let folder: string;
  let watcher: FileWatcher | undefined;
  let contents: ReadContents;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "watch-"));
    contents = new ReadContents();
  });

  afterEach(async () => {
    watcher?.close();
    await rm(folder, { recursive: true });
  });

  /** Watches these files; each await of `next()` is one report. */
  async function watching(...paths: string[]): Promise<{ next(): Promise<ReadonlySet<string>>; reports(): number }> {
    let reports = 0;
    let change = Promise.withResolvers<ReadonlySet<string>>();
    watcher = new FileWatcher({
      paths: () => paths,
      changed: (changed) => {
        reports += 1;
        change.resolve(changed);
      },
      contents,
    });
    await watcher.open();
    return {
      reports: () => reports,
      async next() {
        const changed = await change.promise;
        change = Promise.withResolvers<ReadonlySet<string>>();
        return changed;
      },
    };
  }

  test("reports a file that is written in place", async () => {
    const file = join(folder, "a");
    await writeFile(file, "1");
    const changes = await watching(file);
    await writeFile(file, "22");
    await changes.next();
  });

  test("beyond its number reports changes by their folders", async () => {
    const [file, policies] = [join(folder, "a"), join(folder, "policies")];
    await mkdir(policies);
    await writeFile(file, "1");
    // Most of them are not there, which is looked at all the same.
    const others = Array.from({ length: FIXED_LIMITS.watchedFiles }, (_, index) => join(folder, `other-${index}`));
    const changes = await watching(...others, file, policies);
    await writeFile(file, "22");
    expect(await changes.next()).toEqual(new Set([file]));
    await writeFile(join(policies, "new"), "1");
    let changed = await changes.next();
    // A file that is written in place is emptied before: that may be a report of its own.
    while (changed.has(file)) changed = await changes.next();
    expect(changed).toEqual(new Set([policies]));
  });

  test("reports a file that is replaced by a rename, again and again", async () => {
    const file = join(folder, "a");
    await writeFile(file, "1");
    const changes = await watching(file);
    for (const content of ["2", "3"]) {
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file);
      await changes.next();
    }
  });

  test("reports a file that appears and one that goes", async () => {
    const file = join(folder, "a");
    const changes = await watching(file);
    await writeFile(file, "1");
    await changes.next();
    await rm(file);
    await changes.next();
  });

  test("reports a file behind a symbolic link that is swapped", async () => {
    for (const version of ["v1", "v2"]) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, "a"), version);
    }
    await symlink("v1", join(folder, "current"));
    await symlink(join("current", "a"), join(folder, "a"));
    const changes = await watching(join(folder, "a"));
    await symlink("v2", join(folder, "next"));
    await rename(join(folder, "next"), join(folder, "current"));
    await changes.next();
  });

  test("reports a burst of writes once", async () => {
    const file = join(folder, "a");
    await writeFile(file, "1");
    // However long the writes take: the time in which a burst settles is the test's.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const changes = await watching(file);
      const timers = vi.getTimerCount();
      for (let i = 0; i < 20; i++) await writeFile(file, "x".repeat(i));
      while (vi.getTimerCount() === timers) await turn();
      vi.advanceTimersByTime(1_000);
      await changes.next();
      // What the kernel had not told of by then is not a further change.
      for (let i = 0; i < 20; i++) {
        await turn();
        vi.advanceTimersByTime(1_000);
      }
      expect(changes.reports()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test("reports a change though something else in its folder never comes to rest", async () => {
    const file = join(folder, "a");
    await writeFile(file, "1");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const changes = await watching(file);
    // Hears what the watcher hears, right behind it.
    const ears = watch(folder);
    try {
      await writeFile(file, "22");
      // Less than the next regular look needs, in steps that are shorter than a burst's silence.
      for (let i = 0; i < 20; i++) {
        const heard = once(ears, "change");
        await writeFile(join(folder, "log"), "x".repeat(i));
        await heard;
        vi.advanceTimersByTime(100);
      }
      expect(await changes.next()).toEqual(new Set([file]));
    } finally {
      ears.close();
      vi.useRealTimers();
    }
  });

  test("does not report another file of the same folder", async () => {
    const file = join(folder, "a");
    await writeFile(file, "1");
    const changes = await watching(file);
    await writeFile(join(folder, "other"), "1");
    await writeFile(file, "22");
    expect(await changes.next()).toEqual(new Set([file]));
  });

  test("reports a file that is written in place to the same size, its time set back", async () => {
    const file = join(folder, "a");
    await writeFile(file, "1");
    await utimes(file, 1, 1);
    const changes = await watching(file);
    await writeFile(file, "2");
    await utimes(file, 1, 1);
    expect(await changes.next()).toEqual(new Set([file]));
  });

  test("reports, whatever size and times say, a file that does not hold what was read of it", async () => {
    const [named, silent] = [join(folder, "named"), join(folder, "silent")];
    for (const file of [named, silent]) {
      await writeFile(file, "new");
      contents.note(file, digestOf("old"));
    }
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const changes = await watching(named, silent);
      // Nothing that a look can tell changed since: they are compared in turn, as many at a time as there is time for.
      let changed: ReadonlySet<string> = new Set();
      while (changed.size < 2) {
        while (vi.getTimerCount() === 0) await turn();
        await vi.advanceTimersByTimeAsync(5_000);
        changed = changed.union(await changes.next());
      }
      expect(changed).toEqual(new Set([named, silent]));
    } finally {
      vi.useRealTimers();
    }
  });

  test("reports files of a folder behind a link that was swapped before", async () => {
    for (const version of ["v1", "v2"]) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, "a"), version);
    }
    await symlink("v1", join(folder, "current"));
    const [current, file] = [join(folder, "current"), join(folder, "current", "a")];
    // However long the kernel takes to tell, and the looks: the regular one, which sees it all, does not come.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const changes = await watching(current, file);
      const timers = vi.getTimerCount();
      const settle = (): void => void (vi.getTimerCount() > timers && vi.advanceTimersByTime(200));
      await symlink("v2", join(folder, "next"));
      await rename(join(folder, "next"), current);
      while (changes.reports() < 1) {
        settle();
        await turn();
      }
      // It watches the folder that the link leads to now, or will in a moment.
      while (changes.reports() < 2) {
        await writeFile(join(folder, "v2", "a"), `later ${performance.now()}`);
        settle();
        await turn();
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
