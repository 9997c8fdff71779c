import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createAuthorSink, durationText, formatRecord, type LogRecord } from "../../../src/cli/author-log.ts";
import { Progress } from "../../../src/cli/progress.ts";
import type { OutputStream } from "../../../src/cli/terminal.ts";

function remembering(isTTY: boolean, columns = 40): { stream: OutputStream; text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns }), text: () => text };
}

const TIME = { time: "2026-01-02T03:04:05.678Z" };

function shown(record: LogRecord): string {
  return formatRecord({ ...TIME, ...record }, remembering(false).stream).replaceAll(/^\d\d:\d\d:\d\d/gm, "TIME");
}

describe("the author's log", () => {
  test.each([
    [{ level: "info", source: "log", msg: "hello" }, "TIME │ hello\n"],
    [{ level: "warn", source: "log", msg: "careful" }, "TIME │ warning: careful\n"],
    [{ level: "info", source: "stdout", msg: "out" }, "TIME │ stdout: out\n"],
    [{ level: "info", msg: "request", method: "m", status: 200, runMs: 12.34, storeMs: 0 }, "TIME m → 200 in 12 ms\n"],
    [
      { level: "info", msg: "request", method: "", status: 404, runMs: 1, storeMs: 0.5 },
      "TIME (no method) → 404 in 1 ms, 0.5 ms of it in the store\n",
    ],
    [
      { level: "warn", msg: "request", method: "m", error: "plugin-trapped", detail: String.raw`a\n  b`, runMs: 1500 },
      "TIME m → plugin-trapped in 1.5 s\n         a\n           b\n",
    ],
    [{ level: "info", msg: "component compiled", ms: 2345 }, "TIME component compiled in 2.3 s\n"],
    [
      { level: "error", msg: "refused", err: { message: "why", causes: ["Error: because"] } },
      "TIME refused\n         why\n         Error: because\n",
    ],
  ])("shows %j", (record, text) => {
    expect(shown(record)).toBe(text);
  });

  test("hides what a replica says of itself while nothing is wrong, unless asked for more", () => {
    const records = [
      { level: "info", msg: "ready" },
      { level: "warn", msg: "waiting for NATS" },
      { level: "info", source: "log", msg: "hello" },
    ];
    const linesAt = (level: "info" | "debug"): number => {
      const { stream, text } = remembering(false);
      const write = createAuthorSink({ level, format: "pretty", stream });
      for (const record of records) write(`${JSON.stringify({ ...TIME, ...record })}\n`);
      return text().trim().split("\n").length;
    };
    expect([linesAt("info"), linesAt("debug")]).toEqual([2, 3]);
  });

  test("has durations in the unit that reads best", () => {
    expect([0.1234, 3.21, 45.6, 123.4, 1_234].map(durationText)).toEqual([
      "0.12 ms",
      "3.2 ms",
      "46 ms",
      "123 ms",
      "1.2 s",
    ]);
  });
});

describe("progress", () => {
  test("is one line for each step where lines cannot change", () => {
    const { stream, text } = remembering(false);
    using progress = new Progress(stream);
    progress.begin("cargo build", "cargo build --release");
    progress.note("Compiling x");
    progress.end("done");
    expect(text()).toBe("cargo build --release\n");
  });

  test("is a line that changes on a terminal, never longer than that is wide, and says how the step ended", () => {
    const { stream, text } = remembering(true, 30);
    using progress = new Progress(stream);
    progress.note("before");
    progress.begin("build", "a long command line");
    progress.end("failed");
    const [drawn = "", rest = ""] = text().split("\r\u001b[2K").slice(1);
    expect(drawn).toMatch(/^\S build 0 s {2}/);
    expect(rest).toMatch(/✗.* build .*ms/);
  });

  test("says nothing of a step that was stopped", () => {
    const { stream, text } = remembering(true);
    using progress = new Progress(stream);
    progress.begin("build", "");
    progress.end("stopped");
    expect(text()).not.toMatch(/[✓✗]/);
  });
});
