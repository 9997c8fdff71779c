import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { ERROR_CODES, errorRow } from "../../../src/errors/table.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { createLogger, type Logger, type LoggerOptions } from "../../../src/telemetry/logger.ts";
import { logPluginLine, logRequest, requestLogger, type RequestLogLine } from "../../../src/telemetry/request-log.ts";

const PLUGIN = "echo" as PluginName;

interface Captured {
  readonly logger: Logger;
  readonly lines: string[];
  readonly records: () => Record<string, unknown>[];
}

function capture(options: Partial<LoggerOptions> = {}): Captured {
  const lines: string[] = [];
  const logger = createLogger({
    level: "info",
    pretty: false,
    base: { replica: "r-1", group: "default" },
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { logger, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const DIGEST = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" as Digest;

const REQUEST: RequestLogLine = {
  method: "hello",
  id: "id-1",
  outcome: { kind: "ok", status: 200 },
  times: { queueMs: 0.123_456, runMs: 2, storeMs: 1.5 },
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
};

describe("a request's record", () => {
  afterEach(() => void vi.useRealTimers());

  test("names plugin, method, id, digest, status, times and trace under the replica and its group", () => {
    const { logger, records } = capture();
    logRequest(requestLogger(logger, PLUGIN, DIGEST), REQUEST);
    const [{ time, ...record } = {}] = records();
    expect(record).toEqual({
      level: "info",
      replica: "r-1",
      group: "default",
      plugin: "echo",
      method: "hello",
      id: "id-1",
      digest: "0123456789ab",
      status: 200,
      queueMs: 0.123,
      runMs: 2,
      storeMs: 1.5,
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      msg: "request",
    });
    expect(new Date(String(time)).toISOString()).toBe(time);
  });

  test("is a warning when caller, plugin or operator must act, and an error when host or dependency failed", () => {
    const { logger, records } = capture();
    for (const code of ERROR_CODES)
      logRequest(requestLogger(logger, PLUGIN, DIGEST), { ...REQUEST, outcome: { kind: "error", code } });
    for (const record of records()) {
      const code = ERROR_CODES.find((known) => known === record["error"]) ?? "internal";
      const fault = errorRow(code).fault;
      expect([code, record["level"]]).toEqual([code, fault === "bug" || fault === "dependency" ? "error" : "warn"]);
      expect(record).not.toHaveProperty("status");
    }
    expect(records()).toHaveLength(ERROR_CODES.length);
  });

  test("shows a caller's id and method as text, whatever they hold", () => {
    const { logger, records } = capture();
    logRequest(requestLogger(logger, PLUGIN, DIGEST), { ...REQUEST, id: "\u001b[2J", method: "a\nb" });
    expect(records()).toMatchObject([{ id: "\\u{1b}[2J", method: "a\\nb" }]);
  });

  test("is the same line, to the byte, whether it passes the logger by or not", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_764_086_400_123 });
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "Z", "0", "9", ".", "_", ":", "-"), maxLength: 300 }),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom("//u:p@h", "?token=x", "a\nb", '"', "\\"),
    );
    const ms = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        text,
        text,
        fc.integer({ min: 0, max: 65_535 }),
        ms,
        fc.boolean(),
        (method, id, status, time, traced) => {
          const { logger, lines } = capture({ base: { replica: 'r "1" é //u:p@h', group: "g" } });
          const { logger: child, plain } = requestLogger(logger, PLUGIN, DIGEST);
          const times = { queueMs: time, runMs: time / 3, storeMs: 0 };
          const line: RequestLogLine = {
            method,
            id,
            outcome: { kind: "ok", status },
            times,
            ...(traced && { traceId: REQUEST.traceId }),
          };
          logRequest({ logger: child, plain }, line);
          logRequest({ logger: child, plain: undefined }, line);
          expect(lines).toHaveLength(2);
          expect(lines[0]).toBe(lines[1]);
          expect(lines[0]).not.toContain("u:p@");
        },
      ),
    );
  });

  test("is not written below the threshold", () => {
    const { logger, lines } = capture({ level: "warn" });
    logRequest(requestLogger(logger, PLUGIN, DIGEST), REQUEST);
    expect(lines).toEqual([]);
  });
});

describe("a plugin's line", () => {
  test("is one record with plugin and request id, however many lines and records it pretends to be", () => {
    const { logger, lines, records } = capture();
    const text = 'x"}\n{"level":"error","msg":"forged"}\n\u001b]0;title\u0007';
    logPluginLine(logger, { plugin: PLUGIN, id: "id-1", source: "stdout", level: "info", text });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\p{Cc}]/u);
    expect(records()).toMatchObject([{ level: "info", plugin: "echo", id: "id-1", source: "stdout" }]);
    expect(records()[0]?.["msg"]).toBe('x"}\\n{"level":"error","msg":"forged"}\\n\\u{1b}]0;title\\u{7}');
  });

  test("is bounded in length", () => {
    const { logger, lines } = capture();
    logPluginLine(logger, { plugin: PLUGIN, id: "i", source: "log", level: "warning", text: "\n".repeat(1_000_000) });
    expect(lines[0]?.length).toBeLessThan(40_000);
    expect(lines[0]).toContain("(991808 more)");
  });

  test("keeps its level", () => {
    const { logger, records } = capture();
    for (const level of ["info", "warning", "error"] as const) {
      logPluginLine(logger, { plugin: PLUGIN, id: "i", source: "log", level, text: "t" });
    }
    expect(records().map((record) => record["level"])).toEqual(["info", "warn", "error"]);
  });
});

describe("an error in a record", () => {
  test("shows code, fault, message and the chain of causes, without any password", () => {
    const driver = Object.assign(new Error("connect mongodb://app:s3cret@db/app"), { code: "ECONNREFUSED" });
    const cause = new Error("selection of mongodb://app:s3cret@db failed", { cause: driver });
    const error = new HostError("store-unavailable", "cannot reach mongodb://app:s3cret@db", { cause });
    const { logger, lines, records } = capture();
    logger.error({ err: error, url: "nats://u:s3cret@h" }, "lost nats://u:s3cret@h");
    expect(lines.join("")).not.toContain("s3cret");
    expect(records()[0]).toMatchObject({
      url: "nats://***@h",
      msg: "lost nats://***@h",
      err: {
        code: "store-unavailable",
        fault: "dependency",
        message: "cannot reach mongodb://***@db",
        causes: ["Error: selection of mongodb://***@db failed", "Error: connect mongodb://***@db/app (ECONNREFUSED)"],
      },
    });
  });

  test("cannot steer a terminal or hide text, though a plugin is quoted in it", () => {
    const hostile = "function \u009b31m\u202e\u2028\u001b]0;title\u0007";
    const error = new HostError("load-failed", hostile, { cause: new Error(hostile) });
    for (const isPretty of [false, true]) {
      const { logger, lines } = capture({ pretty: isPretty });
      logger.error({ err: error }, "the plugin cannot be loaded");
      expect(lines.join("").replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(lines.join("")).toContain("u{9b}31m");
    }
  });

  test("has a stack only where it is a bug", () => {
    const { logger, records } = capture();
    logger.error({ err: new HostError("nats-unavailable", "x", { cause: new Error("y") }) });
    logger.error({ err: new HostError("internal", "x", { cause: new TypeError("y") }) });
    logger.error({ err: new RangeError("z") });
    expect(records().map((record) => typeof (record["err"] as { stack?: string }).stack)).toEqual([
      "undefined",
      "string",
      "string",
    ]);
  });

  test("ends at a cycle of causes and at things that are not errors", () => {
    const error = new Error("a");
    const other = new Error("b", { cause: error });
    error.cause = other;
    const { logger, records } = capture();
    logger.error({ err: error });
    logger.error({ err: new HostError("internal", "c", { cause: { toString: (): never => expect.fail() } }) });
    expect(records()).toMatchObject([{ err: { causes: ["Error: b"] } }, { err: { causes: ["a thrown object"] } }]);
  });
});

describe("the text for terminals", () => {
  test("shows a request in one line, with its times", () => {
    const { logger, lines } = capture({ pretty: true });
    logRequest(requestLogger(logger, PLUGIN, DIGEST), REQUEST);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/INFO: echo\.hello → 200 .*"runMs":2/);
  });

  test("has no colours unless asked", () => {
    const { logger, lines } = capture({ pretty: true });
    logPluginLine(logger, { plugin: PLUGIN, id: "i", source: "log", level: "error", text: "\u001b[31mhi" });
    expect(lines.join("")).toContain("echo │ \\u{1b}[31mhi");
    expect(lines.join("")).not.toContain("\u001b");
  });

  test("hides credentials too", () => {
    const { logger, lines } = capture({ pretty: true });
    logger.info({ nats: "nats://u:s3cret@h" }, "to nats://u:s3cret@h");
    expect(lines.join("")).not.toContain("s3cret");
  });
});
