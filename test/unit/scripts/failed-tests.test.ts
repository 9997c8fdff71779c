import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exited } from "../../../scripts/lib/command.ts";
import { runTests } from "./nested-tests.ts";

const FAILS = {
  "assertion.test.js": `describe("sums", () => {
    test("add up", () => expect(1 + 1).toBe(2));
    test("do not add up", () => expect({ sum: 1 + 1 }).toEqual({ sum: 3 }));
  });`,
  "hook.test.js": `beforeAll(() => { throw new TypeError("no hook"); }); test("waits for the hook", () => {});`,
  "suite.test.js": `describe("a suite", () => {
    afterAll(() => { throw new Error("not put away"); });
    test("is well itself", () => {});
  });`,
  "import.test.js": `import "./absent.js"; test("is never seen", () => {});`,
  "stray.test.js": `test("leaves a promise", async () => {
    Promise.reject(new Error("astray"));
    // Node says so before the next turn.
    await new Promise(setImmediate);
  });`,
};

/** The lines from what failed on, and the exit code. */
async function endingOf({ child, output }: Awaited<ReturnType<typeof runTests>>) {
  const lines = (await output).trimEnd().split("\n");
  return { code: (await exited(child)).code, ending: lines.slice(lines.indexOf("What failed:")) };
}

/** What is said of that which failed there: the lines that are further in than its title. */
function saidOf(title: RegExp, ending: readonly string[]): string {
  const at = ending.findIndex((line) => title.test(line));
  expect(at, `${title.source} in:\n${ending.join("\n")}`).toBeGreaterThan(0);
  const next = ending.findIndex((line, index) => index > at && !line.startsWith("      "));
  return ending.slice(at + 1, next).join("\n");
}

test("whatever failed is named at the very end with its error, and counted", async () => {
  const { code, ending } = await endingOf(await runTests(FAILS));
  expect(code).toBe(1);
  expect(ending.at(-1)).toBe("3 passed, 5 failed, 1 skipped");
  expect(ending.length).toBeLessThan(40);
  const assertion = saidOf(/^ {2}\S*assertion\.test\.js > sums > do not add up$/, ending);
  expect(assertion).toMatch(/AssertionError: expected .* to deeply equal .*\n +at \S*assertion\.test\.js:3:\d+\n/);
  expect(assertion).toMatch(/- Expected\n +\+ Received\n/);
  expect(saidOf(/^ {2}\S*hook\.test\.js, outside of its tests$/, ending)).toContain("TypeError: no hook");
  expect(saidOf(/^ {2}\S*suite\.test\.js > a suite, outside of its tests$/, ending)).toContain("Error: not put away");
  expect(saidOf(/^ {2}\S*import\.test\.js, outside of its tests$/, ending)).toMatch(/Error: .*absent\.js/);
  const stray = saidOf(/^ {2}Unhandled Rejection, about the time of \S*stray\.test\.js > leaves a promise$/, ending);
  expect(stray).toMatch(/Error: astray\n +at \S*stray\.test\.js:2:\d+/);
});

test.each([
  ["an error that no test notices", "stray.test.js", "1 passed, 1 failed"],
  ["a hook", "hook.test.js", "0 passed, 1 failed, 1 skipped"],
  ["a hook of a suite whose tests passed", "suite.test.js", "1 passed, 1 failed"],
  ["a file that cannot be loaded", "import.test.js", "0 passed, 1 failed"],
] as const)("%s alone is a failure", async (_what, name, summary) => {
  const { code, ending } = await endingOf(await runTests({ [name]: FAILS[name] }));
  expect({ code, summary: ending.at(-1), failures: ending.length > 2 }).toEqual({ code: 1, summary, failures: true });
});

test("a file whose process is killed is named", async () => {
  const { code, ending } = await endingOf(
    await runTests({
      "killed.test.js": `test("kills", () => process.kill(process.pid, "SIGKILL"));`,
      "other.test.js": `test("is well", () => {});`,
    }),
  );
  expect(code).toBe(1);
  expect(ending.at(-1)).toMatch(/^1 passed, [1-9]\d* failed/);
  expect(saidOf(/^ {2}\S*killed\.test\.js$/, ending)).toContain("did not come to its end");
});

test.each([
  ["set-up", `export const setup = () => { throw new Error("no server"); };`, "0 passed, 1 failed"],
  ["tear-down", `export const teardown = () => { throw new Error("no server"); };`, "1 passed, 1 failed"],
])("what a global %s throws is named", async (_what, body, summary) => {
  const { code, ending } = await endingOf(
    await runTests(
      { "well.test.js": `test("is well", () => {});`, "global.mjs": body },
      { settings: { globalSetup: ["./global.mjs"] } },
    ),
  );
  expect(code).toBe(1);
  expect(ending.at(-1)).toBe(summary);
  expect(saidOf(/^ {2}the end of vitest \(exit code 1\)$/, ending)).toContain("Error: no server");
});

test("a run without a test says so", async () => {
  const { code, ending } = await endingOf(await runTests({}));
  expect({ code, summary: ending.at(-1) }).toEqual({ code: 1, summary: "0 passed, 1 failed" });
  expect(ending.join("\n")).toContain("No test files found");
});

test("the ending is written to a file, too, where one is named, and no test that runs tests writes over it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ending-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "ending");
  const env = { NETWORK_HOST_TEST_ENDING: path };
  const named = `test("sees no file", () => expect(process.env.NETWORK_HOST_TEST_ENDING).toBe(undefined));`;
  const { code, ending } = await endingOf(await runTests({ ...FAILS, "named.test.js": named }, { env }));
  expect(code).toBe(1);
  expect(ending.at(-1)).toBe("4 passed, 5 failed, 1 skipped");
  expect((await readFile(path, "utf8")).trimEnd().split("\n")).toEqual(ending);
});

test("tests that all pass end with their number alone", async () => {
  const { child, output } = await runTests({ "well.test.js": `test("is well", () => {});` });
  expect((await output).trimEnd().split("\n").at(-1)).toBe("1 passed, 0 failed");
  expect(await output).not.toContain("What failed");
  expect((await exited(child)).code).toBe(0);
});
