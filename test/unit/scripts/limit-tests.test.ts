import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  COMPONENT_LIMIT_TESTS,
  FIXED_LIMIT_TESTS,
  GUEST_LIMIT_TESTS,
  PLUGIN_LIMIT_TESTS,
  REPLICA_LIMIT_TESTS,
} from "../../../scripts/limit-tests.ts";
import { COMPONENT_LIMIT_ROWS } from "../../../src/contract/component-limits.ts";
import { GUEST_LIMIT_ROWS } from "../../../src/contract/guest-limits.ts";
import { FIXED_LIMIT_ROWS, PLUGIN_LIMITS, REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import { projectFile } from "../../harness/plugins.ts";

const TESTS = [
  PLUGIN_LIMIT_TESTS,
  REPLICA_LIMIT_TESTS,
  FIXED_LIMIT_TESTS,
  COMPONENT_LIMIT_TESTS,
  GUEST_LIMIT_TESTS,
].flatMap((table) => Object.entries(table));

const ROWS = [PLUGIN_LIMITS, REPLICA_LIMITS, FIXED_LIMIT_ROWS, COMPONENT_LIMIT_ROWS, GUEST_LIMIT_ROWS].flatMap(
  (table) => Object.entries<{ readonly enforcedIn: string }>(table),
);

test("every test that docs/limits.md names is there", async () => {
  const missing: string[] = [];
  for (const [limit, proof] of TESTS) {
    if (proof === "none") continue;
    const text = await readFile(projectFile(`test/${proof.file}.test.ts`), "utf8").catch(() => "");
    if (!text.includes(proof.sentence)) missing.push(`${limit}: ${proof.file}: ${proof.sentence}`);
  }
  expect(missing).toEqual([]);
});

test("every limit has a test, and is enforced in files that are there", async () => {
  expect(TESTS.filter(([, proof]) => proof === "none")).toEqual([]);
  const gone = ROWS.flatMap(([limit, { enforcedIn }]) =>
    enforcedIn
      .split(", ")
      .filter((file) => !existsSync(projectFile(`src/${file}.ts`)))
      .map((file) => `${limit}: ${file}`),
  );
  expect(gone).toEqual([]);
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
