import { expect, test } from "vitest";
import { countLoads } from "../../../src/app-counting.ts";
import { AppLog } from "../../../src/app-log.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { PluginStats } from "../../../src/telemetry/plugin-stats.ts";
import { remembering } from "./remembering-logger.ts";

const NAME = "echo" as PluginName;
const DIGEST = "ab".repeat(32) as Digest;

test("what happens to a plugin's processes is counted and still written", () => {
  const { logger, lines } = remembering();
  const stats = new PluginStats(NAME);
  const runner = countLoads(new AppLog(logger, "policy").loadEvents(), () => stats).runner(NAME, DIGEST);
  runner.counted(1);
  runner.started("request", 3);
  expect([stats.runners, stats.runnerRestarts]).toEqual([1, 0]);
  expect([...stats.runnerStarts]).toEqual([["request", 1]]);
  runner.counted(-1);
  runner.ended({ reason: "it was ended by SIGKILL", stderr: "", expected: false, wasHog: false }, 100);
  expect([stats.runners, stats.runnerRestarts]).toEqual([0, 1]);
  expect(lines).toEqual(["info: runner started", "warn: the plugin's runner ended"]);
});

test("a plugin that has no counters any more is written about all the same", () => {
  const { logger, lines } = remembering();
  const runner = countLoads(new AppLog(logger, "policy").loadEvents(), () => undefined).runner(NAME, DIGEST);
  runner.started("request", 3);
  runner.counted(1);
  expect(lines).toEqual(["info: runner started"]);
});
