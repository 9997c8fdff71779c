import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generateTables } from "../../../scripts/generate-tables.ts";
import { PROJECT_FOLDER, readProjectFile } from "../../../scripts/generated-file.ts";
import { ERROR_CODES, ERRORS, errorRow, isErrorCode } from "../../../src/errors/table.ts";

async function readAll(pattern: string, exclude: readonly string[] = []): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const file of glob(pattern, { cwd: PROJECT_FOLDER })) {
    if (!exclude.includes(file)) texts.set(file, await readFile(join(PROJECT_FOLDER, file), "utf8"));
  }
  return texts;
}

describe("the table of errors", () => {
  test("has codes in kebab-case and summaries that are safe, whole sentences", () => {
    for (const code of ERROR_CODES) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      const { summary, replyCode } = errorRow(code);
      // Goes into a header: printable ASCII, at most 256 characters (docs/protocol.md).
      expect(summary, code).toMatch(/^[\x20-\x7e]{20,255}\.$/);
      expect(replyCode, code).toBeGreaterThanOrEqual(400);
      expect(replyCode, code).toBeLessThan(600);
    }
  });

  test("knows its own codes and nothing that objects inherit", () => {
    expect(isErrorCode("denied")).toBe(true);
    for (const text of ["", "Denied", "toString", "__proto__", "constructor"]) expect(isErrorCode(text)).toBe(false);
  });

  test("has no code that nothing in src/ uses", async () => {
    const source = [...(await readAll("src/**/*.ts", ["src/errors/table.ts"])).values()].join("\n");
    const unused = ERROR_CODES.filter((code) => !source.includes(`"${code}"`));
    expect(unused, "codes of the table that no module uses").toEqual([]);
  });

  test("is what docs/errors.md and docs/limits.md were generated from", async () => {
    for (const [file, text] of await generateTables()) {
      expect(await readProjectFile(file), `${file}: run node scripts/generate-tables.ts`).toBe(text);
    }
  });

  test("has every code that the documentation gives to Rpc-Error or links to", async () => {
    const mentioned: string[] = [];
    for (const [file, text] of await readAll("{README.md,docs/**/*.md}")) {
      for (const [, given, linked] of text.matchAll(
        /Rpc-Error[`"']?\s*[:=]\s*[`"']?([a-z][a-z-]*)|(?<!build-)errors\.md#([a-z-]+)/g,
      )) {
        mentioned.push(`${file}: ${given ?? linked ?? ""}`);
      }
    }
    expect(mentioned.filter((entry) => !isErrorCode(entry.split(": ")[1] ?? ""))).toEqual([]);
  });

  test("agrees with the codes, numbers and retryability that docs/protocol.md lists", async () => {
    const page = await readProjectFile("docs/protocol.md");
    const rows = [...page.matchAll(/^\|\s*`([a-z-]+)`\s*\|\s*([0-9]+)\s*\|\s*(yes|no)\s*\|/gm)];
    expect(rows.length).toBeGreaterThan(10);
    for (const [, code = "", number, retryable] of rows) {
      expect(isErrorCode(code), code).toBe(true);
      const row = ERRORS[code as keyof typeof ERRORS];
      expect([code, String(row.replyCode), row.retryable ? "yes" : "no"]).toEqual([code, number, retryable]);
    }
  });

  test("says of each code that a caller may meet, and of no other, what the plugin may have done; the protocol agrees", async () => {
    const page = await readProjectFile("docs/protocol.md");
    const inReplies = [...page.matchAll(/^\|\s*`([a-z-]+)`\s*\|\s*[0-9]+\s*\|/gm)].map(([, code = ""]) => code);
    const ofCallers = [...inReplies, "nats-unavailable", "no-responders", "bad-reply"];
    const told = ERROR_CODES.filter((code) => errorRow(code).work !== undefined);
    expect([...told].sort()).toEqual([...ofCallers].sort());
    const [, sentence = ""] = /After (`[^.]*) the plugin may have done/.exec(page.replaceAll("\n", " ")) ?? [];
    const named = [...sentence.matchAll(/`([a-z-]+)`/g)].map(([, code = ""]) => code);
    const afterWork = told.filter((code) => inReplies.includes(code) && errorRow(code).work === "maybe");
    expect(named.sort()).toEqual([...afterWork].sort());
  });
});
