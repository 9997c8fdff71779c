import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exited } from "../../../scripts/lib/command.ts";
import { until } from "../../../scripts/lib/until.ts";
import { runTests } from "./nested-tests.ts";

const ADDS = `test("adds", () => expect(1 + 1).toBe(2));`;
const HANGS = `${ADDS} test("hangs", () => new Promise(() => {}));`;

/** Resolves when the test that hangs is known to have begun. */
async function hanging(folder: string): Promise<void> {
  const journal = async (): Promise<string> => {
    const [path] = await Array.fromAsync(glob("network-host-tests-*/journal", { cwd: folder }));
    return path === undefined ? "" : await readFile(join(folder, path), "utf8");
  };
  await until(async () => /"test-began".*"hangs"/.test(await journal()), { what: "the test hangs" });
}

test("tests that come to their end are counted in the last line", async () => {
  const { child, output } = await runTests({
    "a.test.js": `${ADDS} test("is skipped", { skip: true }, () => {});`,
    "b.test.js": `test("no", () => expect(1).toBe(2));`,
  });
  expect((await exited(child)).code).toBe(1);
  expect((await output).trimEnd().split("\n").at(-1)).toBe("1 passed, 1 failed, 1 skipped");
});

test("a signal ends the tests with what is known by then, and what is running", async () => {
  const { folder, child, output } = await runTests({ "a.test.js": HANGS });
  await hanging(folder);
  child.kill("SIGTERM");
  expect((await exited(child)).code).toBe(1);
  const said = await output;
  expect(said).toMatch(/The tests were cut off by SIGTERM after [\d.]+ s, with 1 passed, 1 failed\./);
  expect(said).toMatch(/Running:\n +[\d.]+ s {2}\S*a\.test\.js > hangs\n/);
  expect(said).toMatch(
    /What failed:\n {2}What did not come to its end\n +\S*a\.test\.js > hangs\n1 passed, 1 failed\n$/,
  );
  expect(said.trimEnd().split("\n").at(-1)).toBe("1 passed, 1 failed");
});

test("a vitest that is killed ends the tests with what is known by then", async () => {
  const { folder, child, output } = await runTests({ "a.test.js": HANGS });
  await hanging(folder);
  const [vitest] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).trim().split(" ");
  process.kill(Number(vitest), "SIGKILL");
  expect((await exited(child)).code).toBe(1);
  const said = await output;
  expect(said).toContain("cut off by the end of vitest (SIGKILL)");
  expect(said.trimEnd().split("\n").at(-1)).toBe("1 passed, 1 failed");
});
