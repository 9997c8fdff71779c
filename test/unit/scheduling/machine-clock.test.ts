import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { machineMs, machineMsUntil } from "../../../src/scheduling/machine-clock.ts";
import { projectFile } from "../../harness/plugins.ts";

test("two processes mean the same moment", async () => {
  const module = JSON.stringify(projectFile("src/scheduling/machine-clock.ts"));
  const program = `import(${module}).then(({ machineMs }) => console.log(machineMs(performance.now())))`;
  const before = machineMs(performance.now());
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", program]);
  const after = machineMs(performance.now());
  expect(machineMsUntil(Number(stdout), before)).toBeGreaterThanOrEqual(0);
  expect(machineMsUntil(after, Number(stdout))).toBeGreaterThanOrEqual(0);
});

test("moments are compared across the point where their numbers begin anew", () => {
  expect(machineMsUntil(5, 0xffff_fff0)).toBe(21);
  expect(machineMsUntil(0xffff_fff0, 5)).toBe(-21);
});

test("a moment is never earlier than what it was made of", () => {
  expect(machineMsUntil(machineMs(1_000.4), machineMs(1_000))).toBeGreaterThanOrEqual(0);
  expect(machineMsUntil(machineMs(1_250), machineMs(1_000))).toBe(250);
});
