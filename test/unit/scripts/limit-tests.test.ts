import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { FIXED_LIMIT_TESTS, PLUGIN_LIMIT_TESTS, REPLICA_LIMIT_TESTS } from "../../../scripts/limit-tests.ts";
import { projectFile } from "../../harness/plugins.ts";

test("every test that docs/limits.md names is there", async () => {
  const tables = [PLUGIN_LIMIT_TESTS, REPLICA_LIMIT_TESTS, FIXED_LIMIT_TESTS];
  const missing: string[] = [];
  for (const [limit, proof] of tables.flatMap((table) => Object.entries(table))) {
    if (proof === "none") continue;
    const text = await readFile(projectFile(`test/${proof.file}.test.ts`), "utf8").catch(() => "");
    if (!text.includes(proof.sentence)) missing.push(`${limit}: ${proof.file}: ${proof.sentence}`);
  }
  expect(missing).toEqual([]);
});

test("every test that SECURITY.md names is there", async () => {
  const page = await readFile(projectFile("SECURITY.md"), "utf8");
  const named = [...page.matchAll(/`(test\/[\w/-]+\.test\.ts)`: ([^|<]+?) *(?:<br>|\|)/g)];
  expect(named.length).toBeGreaterThan(15);
  const missing: string[] = [];
  for (const [, file = "", sentence = ""] of named) {
    const text = await readFile(projectFile(file), "utf8").catch(() => "");
    if (!text.includes(sentence)) missing.push(`${file}: ${sentence}`);
  }
  expect(missing).toEqual([]);
});
