import { mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import { ContentPatrol } from "../../../src/registry/content-patrol.ts";
import { ReadContents } from "../../../src/registry/read-contents.ts";

describe("comparing contents in turn", () => {
  let folder: string;
  let contents: ReadContents;
  let paths: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "patrol-"));
    contents = new ReadContents();
    paths = Array.from({ length: 6 }, (_, index) => join(folder, String(index)));
    for (const path of paths) await writeContent(path, "old");
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** Reads what it writes, as whoever acts on a file does. */
  async function writeContent(path: string, content: string | Uint8Array): Promise<void> {
    await writeFile(path, content);
    contents.note(path, digestOf(content));
  }

  test("finds a file that was changed and looks the same", async () => {
    const [path = ""] = paths;
    await utimes(path, 1, 1);
    await writeFile(path, "new");
    await utimes(path, 1, 1);
    const patrol = new ContentPatrol(contents);
    expect(await patrol.walk(paths, 60_000)).toEqual(new Set([path]));
    contents.note(path, digestOf("new"));
    expect(await patrol.walk(paths, 60_000)).toEqual(new Set());
  });

  test("goes through all of them, however little time it has each time", async () => {
    for (const path of paths) await writeFile(path, "new");
    // Each look at the clock takes a millisecond: two files fit.
    let ms = 0;
    const patrol = new ContentPatrol(contents, { clock: () => (ms += 1) });
    const found: string[][] = [];
    for (let walk = 0; walk < 4; walk++) found.push([...(await patrol.walk(paths, 2))]);
    const pairs = [0, 2, 4].map((at) => paths.slice(at, at + 2));
    expect(found).toEqual([...pairs, pairs[0]]);
    expect([...(await new ContentPatrol(contents).walk(paths, 0))]).toEqual(paths.slice(0, 1));
  });

  test("leaves alone what was never read, cannot be read, or is larger than what is read", async () => {
    const [unknown, gone, huge, folderItself] = [
      join(folder, "unknown"),
      join(folder, "gone"),
      join(folder, "huge"),
      folder,
    ];
    await writeFile(unknown, "new");
    await writeFile(huge, "");
    await truncate(huge, REPLICA_LIMITS.componentBytes.max + 1);
    for (const path of [gone, huge, folderItself]) contents.note(path, digestOf("old"));
    expect(await new ContentPatrol(contents).walk([unknown, gone, huge, folderItself], 60_000)).toEqual(new Set());
  });

  test("takes large files in pieces, and forgets those that nobody watches any more", async () => {
    const large = join(folder, "large");
    await writeContent(large, Buffer.alloc(3 * 1024 * 1024 + 17, "l"));
    const patrol = new ContentPatrol(contents);
    expect(await patrol.walk([large], 60_000)).toEqual(new Set());
    expect([contents.of(large), contents.of(paths[0] ?? "")]).toEqual([expect.any(String), undefined]);
    await writeFile(large, Buffer.alloc(3 * 1024 * 1024 + 17, "m"));
    expect(await patrol.walk([large], 60_000)).toEqual(new Set([large]));
  });
});
