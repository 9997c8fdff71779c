import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RECORD_PAGE, recordRun } from "../../../scripts/test/record.ts";
import { projectFile } from "../../harness/plugins.ts";

const RUN = {
  counts: { passed: 40, failed: 1, skipped: 2 },
  toolchains: ["git 2.39.5"],
  missing: [{ name: "rust", install: "install rustup", reason: "no rustup on PATH", tests: ["a > 1", "a > 2"] }],
  ms: 25.4 * 60_000,
  date: new Date("2026-11-29T23:59:59Z"),
};

test("a run is recorded in its page with its outcome, its day and its toolchains, in place of the one before", async () => {
  const root = await mkdtemp(join(tmpdir(), "record-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await cp(projectFile(RECORD_PAGE), join(root, RECORD_PAGE), { recursive: true });
  await recordRun(RUN, root);
  const page = await readFile(join(root, RECORD_PAGE), "utf8");
  expect(page).toMatch(/^\| date +\| 2026-11-29 +\|$/m);
  expect(page).toMatch(/^\| outcome +\| 40 passed, 1 failed, 2 skipped +\|$/m);
  expect(page).toMatch(/^\| duration +\| 25 min +\|$/m);
  expect(page).toMatch(/^\| toolchains +\| Node \d+\.\d+\.\d+, git 2\.39\.5 +\|$/m);
  expect(page).toMatch(/\n\nSkipped without rust:\n\n- a > 1\n- a > 2\n\n<!-- end -->$/m);

  await recordRun({ ...RUN, missing: [], date: new Date("2026-12-01T00:00:00Z") }, root);
  const next = await readFile(join(root, RECORD_PAGE), "utf8");
  expect(next).toMatch(/^\| date +\| 2026-12-01 +\|$/m);
  expect(next).not.toMatch(/2026-11-29|Skipped without/);
});
