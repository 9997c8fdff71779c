import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/lib/project.ts";

/** Hands the tests' own output on to a child: `fork` does it unless it is told not to. */
const HANDS_ON = [/["']inherit["']/, /\bfork\((?![^;]*silent: true)[^;]*;/];

test("no test lets a child write to the tests' own output, where it looks like a failure of theirs", async () => {
  const found: string[] = [];
  for await (const name of glob("test/{unit,authors,conformance,integration,adversarial,harness,fixtures}/**/*.ts", {
    cwd: ROOT,
  })) {
    if (name === "test/unit/child-output.test.ts") continue;
    const text = await readFile(join(ROOT, name), "utf8");
    for (const pattern of HANDS_ON) found.push(...(pattern.exec(text) ?? []).map((what) => `${name}: ${what}`));
  }
  expect(found).toEqual([]);
});
