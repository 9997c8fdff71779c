import { dirname } from "node:path";
import { expect, test } from "vitest";
import { exited } from "../../../scripts/lib/command.ts";
import { projectFile } from "../../harness/plugins.ts";
import { runTests } from "./nested-tests.ts";

const SUITE = {
  "a.test.js": `
    import { describeWith } from ${JSON.stringify(projectFile("test/authors/toolchains.ts"))};
    await describeWith(["git"], "a suite", () => {
      beforeAll(() => { throw new Error("a hook of a suite without its toolchain"); });
      test("needs Git", () => {});
      test("needs it, too", () => {});
    });
    test("needs nothing", () => {});`,
};

/** On a machine that has nothing but Node. */
async function runWith(env: Readonly<Record<string, string>>): Promise<{ code: number | null; ending: string }> {
  const { child, output } = await runTests(SUITE, {
    env: { PATH: dirname(process.execPath), AUTHORS: "", CI: "", ...env },
  });
  return { ending: (await output).trimEnd().split("\n").slice(-5).join("\n"), code: (await exited(child)).code };
}

test("where authors' tests are run on demand, what lacks a toolchain is skipped and named with what to install", async () => {
  const { code, ending } = await runWith({ AUTHORS: "1" });
  expect(ending).toMatch(
    /\nSkipped without git \(no git on PATH\); to have it, install Git\n {2}\S*a\.test\.js > a suite > needs Git\n {2}\S*a\.test\.js > a suite > needs it, too\n1 passed, 0 failed, 2 skipped$/,
  );
  expect(code).toBe(0);
});

test.each([
  ["with CI set", { AUTHORS: "1", CI: "1" }],
  ["at npm test", {}],
])("%s a missing toolchain is a failure", async (_, env) => {
  const { code, ending } = await runWith(env);
  expect(ending).toContain("MissingToolchainError: no git: install Git");
  expect(ending).toMatch(/\n1 passed, 1 failed$/);
  expect(code).toBe(1);
});
