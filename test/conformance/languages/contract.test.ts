/**
 * The contract's cases, the same that authors run by `network-host test --conformance`: components of every language pass
 * all of those for the levels that they request, on both engines.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCESS_LEVELS, type AccessLevel } from "../../../src/contract/access-levels.ts";
import { CONFORMANCE_FILE } from "../../../src/testing/conformance-file.ts";
import { type FileResult, runTestFile } from "../../../src/testing/run-tests.ts";
import { loadTestFile } from "../../../src/testing/test-files.ts";
import { ENGINES } from "../../unit/runner/runner-child.ts";
import { LANGUAGES } from "./languages.ts";

/** Components that are not in the cache are built, which takes minutes, and the largest compile for seconds. */
const BUILD_TIMEOUT_MS = 10 * 60_000;
const TIMEOUT_MS = 4 * 60_000;

/** QuickJS can link no import of HTTP. */
const WITHOUT_HTTP = new Set(["JavaScript on QuickJS"]);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "contract-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function failuresOf(result: FileResult): unknown[] {
  if (result.kind === "unloaded") return [result.error];
  return result.cases.flatMap(({ test, failures }) =>
    failures.flatMap(({ step, mismatches }) =>
      mismatches.map(({ what, difference }) => [test.name, step, what, difference.map(({ text }) => text)]),
    ),
  );
}

describe.each(LANGUAGES)("$name", (language) => {
  let components: readonly string[];

  beforeAll(async () => {
    components = (await language.contract?.()) ?? [await language.component()];
  }, BUILD_TIMEOUT_MS);

  it.each(ENGINES)(
    "passes the contract's cases on the %s engine",
    async (engine) => {
      const used = new Set<AccessLevel>();
      for (const component of components) {
        const file = await loadTestFile(CONFORMANCE_FILE, component);
        const result = await runTestFile(file, { engine, cacheDir: folder });
        expect(failuresOf(result)).toEqual([]);
        if (result.kind === "unloaded") continue;
        expect(result.engine).toBe(engine);
        for (const { level, operations } of result.levels) {
          expect(operations, level).toBeGreaterThan(0);
          used.add(level);
        }
      }
      const wanted = ACCESS_LEVELS.filter((level) => level !== "outbound-http" || !WITHOUT_HTTP.has(language.name));
      expect([...used].sort()).toEqual(wanted);
    },
    TIMEOUT_MS,
  );
});

it("has a case for each level", async () => {
  const { document } = await loadTestFile(CONFORMANCE_FILE, "any.wasm");
  const needed = new Set(document.cases.flatMap(({ needs }) => needs));
  expect([...needed].sort()).toEqual([...ACCESS_LEVELS]);
});
