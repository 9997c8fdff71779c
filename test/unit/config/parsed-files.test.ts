import { mkdtemp, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Parsed } from "../../../src/config/diagnostic.ts";
import { ParsedFiles } from "../../../src/config/parsed-files.ts";

describe("files that are read again and again", () => {
  let folder: string;
  let path: string;
  let parsed: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parsed-files-"));
    path = join(folder, "file");
    parsed = [];
    await writeFile(path, "one");
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function parse(file: string): Promise<Parsed<string>> {
    const text = await readFile(file, "utf8").catch(() => undefined);
    parsed.push(text ?? "nothing");
    if (text === undefined) return { kind: "invalid", errors: [] };
    return { kind: "valid", value: text, warnings: [] };
  }

  /** Its clock is ahead: all changes were made a while ago. */
  const later = (): ParsedFiles<string> => new ParsedFiles(parse, () => Date.now() + 60_000);
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
    expect(parsed).toEqual(["one", "two", "six", "nothing", "ten"]);
  });

  test("are not remembered right after a change, which a second one may follow within the clock's tick", async () => {
    const nowMs = Date.now() + 1_000;
    const files = new ParsedFiles(parse, () => nowMs);
    await valueOf(files);
    await valueOf(files);
    expect(parsed).toEqual(["one", "one"]);
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
