import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PluginLine, PluginLog } from "../../../../src/capabilities/logging/host.ts";
import { FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import { PROPERTY_TIME_MS } from "../../../harness/property.ts";
import { LogRate } from "../../../../src/contract/log-rate.ts";

function logOf(maxBytes: number): { readonly log: PluginLog; readonly lines: PluginLine[] } {
  const lines: PluginLine[] = [];
  return {
    log: new PluginLog(
      () => maxBytes,
      new LogRate(),
      (line) => lines.push(line),
    ),
    lines,
  };
}

/** Requests of one plugin, as many as are asked for, and a clock to turn. */
function plugin(): { readonly request: () => PluginLog; readonly lines: PluginLine[]; readonly clock: { ms: number } } {
  const lines: PluginLine[] = [];
  const clock = { ms: 0 };
  const rate = new LogRate({ clock: () => clock.ms });
  return {
    request: () =>
      new PluginLog(
        () => 1024 * 1024,
        rate,
        (line) => lines.push(line),
      ),
    lines,
    clock,
  };
}

const isNotice = ({ source }: PluginLine): boolean => source === "host";

describe("a plugin's log", () => {
  test("has the lower limit from when it is lowered, in the middle of a request too", () => {
    const lines: PluginLine[] = [];
    let maxBytes = 100;
    const log = new PluginLog(
      () => maxBytes,
      new LogRate(),
      (line) => lines.push(line),
    );
    log.log("info", "x".repeat(50));
    maxBytes = 60;
    log.log("info", "y".repeat(50));
    maxBytes = 5;
    log.log("info", "z");
    const texts = lines.map(({ text }) => text);
    expect(texts.slice(0, 2)).toEqual(["x".repeat(50), "y".repeat(10)]);
    expect(texts.slice(2)).toEqual([expect.stringContaining("the request's log limit is reached (60 bytes")]);
    expect(log.droppedBytes).toBe(41);
  });

  test("passes lines on in order, with where they came from", () => {
    const { log, lines } = logOf(1_000);
    log.log("error", "a");
    log.output(1, "b");
    log.output(2, "c");
    log.log("info", "");
    expect(lines).toEqual([
      { source: "log", level: "error", text: "a" },
      { source: "stdout", level: "info", text: "b" },
      { source: "stderr", level: "warning", text: "c" },
      { source: "log", level: "info", text: "" },
    ]);
    expect(log.droppedBytes).toBe(0);
  });

  test("makes one printable line of whatever was written: no line breaks, no control sequences", () => {
    const { log, lines } = logOf(1_000);
    log.log("info", 'x\n{"level":60,"msg":"forged"}\r\u001b[2J\u0007\u009b31m\u2028\u202e\0');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(lines[0]?.text).toContain('\\n{"level":60');
  });

  test("ends at its limit: the line is cut, the rest is dropped and counted, and that is said once", () => {
    const { log, lines } = logOf(10);
    log.log("info", "12345678");
    log.log("info", "abcdef");
    log.log("info", "later");
    log.output(1, "x");
    expect(lines.map(({ text }) => text).slice(0, 2)).toEqual(["12345678", "ab"]);
    expect(lines.filter(isNotice)).toHaveLength(1);
    expect(lines).toHaveLength(3);
    expect(log.droppedBytes).toBe(4 + 5 + 1);
  });

  test("cuts between characters", () => {
    const { log, lines } = logOf(4);
    log.log("info", "aéé");
    expect(lines[0]?.text).toBe("aé");
    expect(log.droppedBytes).toBe(2);
  });

  test("bounds the number of lines too, since an empty one has no bytes", () => {
    const { log, lines } = logOf(1_000);
    for (let i = 0; i < FIXED_LIMITS.logLines * 3; i++) log.output(1, "");
    expect(lines).toHaveLength(FIXED_LIMITS.logLines + 1);
    expect(lines.filter(isNotice)).toHaveLength(1);
  });

  test("of all its requests together is bounded in lines a second, and what was missed is told", () => {
    const { request, lines, clock } = plugin();
    const logs = Array.from({ length: 64 }, request);
    for (const log of logs) for (let line = 0; line < FIXED_LIMITS.logLines; line++) log.log("info", "x");
    // Two seconds' worth is saved up.
    expect(lines).toHaveLength(2 * FIXED_LIMITS.logLinesPerSecond);
    expect(lines.filter(isNotice)).toHaveLength(0);
    const missed = logs.reduce((sum, log) => sum + log.droppedBytes, 0);
    expect(missed).toBe(logs.length * FIXED_LIMITS.logLines - lines.length);
    lines.length = 0;
    clock.ms += 100;
    const next = request();
    for (let line = 0; line < FIXED_LIMITS.logLines; line++) next.log("info", "x");
    expect(lines.filter((line) => !isNotice(line))).toHaveLength(FIXED_LIMITS.logLinesPerSecond / 10);
    expect(lines[0]).toMatchObject({ source: "host", text: expect.stringContaining(`${missed} lines`) });
  });

  test("of all its requests together is bounded in bytes a second", () => {
    const { request, lines } = plugin();
    const text = "x".repeat(64 * 1024);
    for (let asked = 0; asked < 1_000; asked++) request().log("info", text);
    expect(lines).toHaveLength((2 * FIXED_LIMITS.logBytesPerSecond) / text.length);
  });

  test("of one plugin leaves another's as it is", () => {
    const [loud, quiet] = [plugin(), plugin()];
    for (let asked = 0; asked < 64; asked++) {
      const log = loud.request();
      for (let line = 0; line < FIXED_LIMITS.logLines; line++) log.log("info", "x");
    }
    quiet.request().log("info", "still here");
    expect(quiet.lines.map(({ text }) => text)).toEqual(["still here"]);
  });

  test("cannot be taken for the host's own words", () => {
    const { log, lines } = logOf(1_000);
    log.log("warning", "[network-host] all is well");
    log.note("something is wrong");
    expect(lines).toEqual([
      { source: "log", level: "warning", text: "[network-host] all is well" },
      { source: "host", level: "warning", text: "[network-host] something is wrong" },
    ]);
  });

  test("says so when the runner dropped lines itself", () => {
    const { log, lines } = logOf(1_000);
    log.dropped({ lines: 3, bytes: 77, missedBytes: 0, missedLines: 0 });
    expect(log.droppedBytes).toBe(77);
    expect(lines).toMatchObject([
      { source: "host", text: expect.stringContaining("the request's log limit is reached") },
    ]);
  });

  test("says so when the runner dropped lines beyond the rate: with the next line, of whichever request", () => {
    const { request, lines } = plugin();
    const loud = request();
    loud.log("info", "before");
    loud.dropped({ lines: 0, bytes: 0, missedBytes: 500, missedLines: 20 });
    expect(loud.droppedBytes).toBe(500);
    expect(lines.map(({ text }) => text)).toEqual(["before"]);
    const next = request();
    next.log("info", "after");
    expect(next.droppedBytes).toBe(0);
    expect(lines.slice(1)).toEqual([
      {
        source: "host",
        level: "warning",
        text: "[network-host] 20 lines of the plugin were dropped: it logs more than 5000 lines or 4194304 bytes a second",
      },
      { source: "log", level: "info", text: "after" },
    ]);
  });

  test("tells what was missed once a second, in one number", () => {
    const { request, lines, clock } = plugin();
    const log = request();
    for (let turn = 0; turn < 500; turn++) {
      clock.ms += 10;
      log.dropped({ lines: 0, bytes: 0, missedBytes: 7, missedLines: 7 });
      log.log("info", "x");
    }
    const told = lines.filter(isNotice).map(({ text }) => Number(/(\d+) lines/.exec(text)?.[1]));
    expect(told).toHaveLength(5);
    expect(told).toEqual([7, 700, 700, 700, 700]);
  });

  test("takes no harm from a runner that lies about what it dropped", () => {
    const { request, lines } = plugin();
    const most = 0xffff_ffff;
    const liar = request();
    for (let told = 0; told < 10_000; told++)
      liar.dropped({ lines: most, bytes: most, missedBytes: most, missedLines: most });
    expect(liar.droppedBytes).toBe(20_000 * most);
    expect(lines).toHaveLength(1);
    const honest = request();
    for (let line = 0; line < FIXED_LIMITS.logLines; line++) honest.log("info", "x");
    expect(honest.droppedBytes).toBe(0);
    expect(lines.filter((line) => !isNotice(line))).toHaveLength(FIXED_LIMITS.logLines);
    expect(lines.filter(isNotice)).toHaveLength(2);
    expect(lines[1]?.text).toContain(`${10_000 * most} lines`);
  });

  test("passes on no more than its limit and loses count of nothing, whatever is written", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 200 }),
        fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 40 }),
        (maxBytes, texts) => {
          const { log, lines } = logOf(maxBytes);
          for (const text of texts) log.log("info", text);
          const written = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          // Printable texts of graphemes pass unchanged, but for the joiners, which are escaped.
          const passed = written - log.droppedBytes;
          expect(passed).toBeLessThanOrEqual(maxBytes);
          if (log.droppedBytes === 0) expect(lines.filter(isNotice)).toHaveLength(0);
          else expect(lines.filter(isNotice)).toHaveLength(1);
          if (written <= maxBytes) expect(log.droppedBytes).toBe(0);
        },
      ),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
