import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PluginLine, PluginLog } from "../../../src/broker/logging.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";

function logOf(maxBytes: number): { readonly log: PluginLog; readonly lines: PluginLine[] } {
  const lines: PluginLine[] = [];
  return { log: new PluginLog(maxBytes, (line) => lines.push(line)), lines };
}

const isNotice = ({ text }: PluginLine): boolean => text.startsWith("[network-host] ");

describe("a plugin's log", () => {
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

  test("says so when the runner dropped lines itself", () => {
    const { log, lines } = logOf(1_000);
    log.dropped(77);
    expect(log.droppedBytes).toBe(77);
    expect(lines.filter(isNotice)).toHaveLength(1);
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
      { interruptAfterTimeLimit: 5_000 },
    );
  });
});
