import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ParsedFiles } from "../../../src/config/parsed-files.ts";
import { readTextFile } from "../../../src/config/text-file.ts";
import { digestOf } from "../../../src/contract/digest.ts";

describe("files that are read again and again", () => {
  let folder: string;
  let path: string;
  let parsed: string[];
  let reads: number;
  let contents: [string, string][];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parsed-files-"));
    path = join(folder, "file");
    parsed = [];
    reads = 0;
    contents = [];
    await writeFile(path, "one");
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  function filesAt(now: () => number): ParsedFiles<string> {
    return new ParsedFiles({
      async read(file) {
        const read = await readTextFile(file);
        if (read.kind === "invalid") parsed.push(`nothing: ${read.file}`);
        reads += 1;
        return read;
      },
      parse(text) {
        parsed.push(text);
        return { kind: "valid", value: text, warnings: [] };
      },
      onRead: (file, digest) => contents.push([file, digest]),
      now,
    });
  }

  /** Its clock is ahead: all changes were made a while ago. */
  const later = (): ParsedFiles<string> => filesAt(() => Date.now() + 60_000);
  const valueOf = async (files: ParsedFiles<string>): Promise<string | undefined> => {
    const found = await files.load(path);
    return found.kind === "valid" ? found.value : undefined;
  };

  test("are parsed once while they stay the same", async () => {
    const files = later();
    expect([await valueOf(files), await valueOf(files), await valueOf(files)]).toEqual(["one", "one", "one"]);
    expect(parsed).toEqual(["one"]);
  });

  test("are parsed anew whichever way they change, to the same size and with the time set back too", async () => {
    const files = later();
    await utimes(path, 1, 1);
    await valueOf(files);
    await writeFile(path, "two");
    await utimes(path, 1, 1);
    expect(await valueOf(files)).toBe("two");
    await writeFile(`${path}.new`, "six");
    await utimes(`${path}.new`, 1, 1);
    await rename(`${path}.new`, path);
    expect(await valueOf(files)).toBe("six");
    await rm(path);
    expect(await valueOf(files)).toBeUndefined();
    await writeFile(path, "ten");
    expect(await valueOf(files)).toBe("ten");
    expect(parsed).toEqual(["one", "two", "six", "nothing: gone", "ten"]);
    expect(contents).toEqual(["one", "two", "six", "ten"].map((text) => [path, digestOf(text)]));
  });

  test("are read again right after a change, which a second one may follow within the clock's tick", async () => {
    const nowMs = Date.now() + 1_000;
    const files = filesAt(() => nowMs);
    await valueOf(files);
    await valueOf(files);
    expect([reads, parsed]).toEqual([2, ["one"]]);
  });

  test("are read again when they are said to have changed, whatever can be told of them", async () => {
    const files = later();
    await valueOf(files);
    files.refresh(path);
    await valueOf(files);
    await valueOf(files);
    expect([reads, parsed]).toEqual([2, ["one"]]);
  });

  test("are not parsed again where they hold the same, whatever their times say", async () => {
    const files = later();
    for (const time of [1, 2, 3]) {
      await utimes(path, time, time);
      await valueOf(files);
    }
    expect([reads, parsed]).toEqual([3, ["one"]]);
  });

  test("are tried again each time while they cannot be read", async () => {
    const files = later();
    await rm(path);
    await mkdir(path);
    await valueOf(files);
    await valueOf(files);
    expect(parsed).toEqual(["nothing: unreadable", "nothing: unreadable"]);
  });

  test("are forgotten when nobody asks for them any more", async () => {
    const files = later();
    await valueOf(files);
    files.keepOnly(new Set([path]));
    await valueOf(files);
    files.keepOnly(new Set());
    await valueOf(files);
    expect(parsed).toEqual(["one", "one"]);
  });
});
