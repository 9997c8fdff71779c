import { expect, test } from "vitest";
import type { PluginName } from "../../../src/contract/names.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { logPluginLine, logRequest, requestLogger } from "../../../src/telemetry/request-log.ts";
import { LogCapture } from "../../../src/testing/captured-log.ts";

const PLUGIN = "tested" as PluginName;

function say(log: LogCapture, text: string): void {
  logPluginLine(log.logger, { plugin: PLUGIN, id: "1", source: "log", level: "warning", text });
}

test("it has the plugin's lines and why its request failed, until they are taken", () => {
  const log = new LogCapture();
  say(log, "hello");
  logRequest(requestLogger(log.logger, PLUGIN, undefined), {
    method: "a",
    id: "1",
    outcome: { kind: "error", code: "plugin-trapped", detail: "unreachable" },
    times: { queueMs: 0, runMs: 0, storeMs: 0 },
  });
  log.logger.info("something of the replica");
  const lines = [{ source: "log", level: "warning", text: "hello" }];
  expect(log.take()).toEqual({ lines, missed: 0, detail: "unreachable" });
  expect(log.take()).toEqual({ lines: [], missed: 0, detail: undefined });
});

test("it keeps as many lines of a request as allowed, and counts the rest", () => {
  const log = new LogCapture();
  for (let line = 0; line < FIXED_LIMITS.testLogLines + 2; line += 1) say(log, String(line));
  const { lines, missed } = log.take();
  expect([lines.length, missed]).toEqual([FIXED_LIMITS.testLogLines, 2]);
});
