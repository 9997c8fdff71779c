import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/lib/project.ts";

const ITSELF = "test/unit/passing-time.test.ts";

/** Lets time pass, whatever comes to be meanwhile. */
const SLEEPS = /\bawait (?:delay|sleep|setTimeout)\(|\bsetTimeout\((?:resolve|done)\b/;

async function* testFiles(): AsyncGenerator<{ readonly name: string; readonly lines: readonly string[] }> {
  for await (const name of glob("test/{unit,conformance,integration,adversarial}/**/*.ts", { cwd: ROOT })) {
    if (name !== ITSELF) yield { name, lines: (await readFile(join(ROOT, name), "utf8")).split("\n") };
  }
}

test("no test waits for a condition by vi.waitFor or vi.waitUntil, whose bounds are those of a machine that is idle", async () => {
  const found: string[] = [];
  for await (const { name, lines } of testFiles()) {
    for (const [index, line] of lines.entries()) {
      if (/\bvi\.wait(?:For|Until)\(/.test(line)) found.push(`${name}:${index + 1}: use until() or expect.poll`);
    }
  }
  expect(found).toEqual([]);
});

test("a test that lets time pass says above that line what the time is for: it is never how a condition is waited for", async () => {
  const found: string[] = [];
  for await (const { name, lines } of testFiles()) {
    for (const [index, line] of lines.entries()) {
      if (SLEEPS.test(line) && !/^\s*\/\//.test(lines[index - 1] ?? "")) found.push(`${name}:${index + 1}`);
    }
  }
  expect(found).toEqual([]);
});
