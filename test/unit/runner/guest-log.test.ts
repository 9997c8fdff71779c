import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeControls, GuestLog } from "../../../src/runner/guest-log.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

function record(log: GuestLog): string[] {
  const records: string[] = [];
  log.attach({
    log: (level, message) => records.push(`${level}: ${message}`),
    output: (stream, text) => records.push(`${stream}: ${text}`),
  });
  return records;
}

it("keeps what was said before there was a call, in its order", () => {
  const log = new GuestLog(1_000);
  log.log("info", "first");
  log.write(1, Buffer.from("second\nthird"));
  const records = record(log);
  log.write(1, Buffer.from(" goes on\n"));
  expect(records).toEqual(["info: first", "1: second", "1: third goes on"]);
});

it("joins lines across writes, whatever the pieces, and keeps the streams apart", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", " ", "é", "漢"), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 10 }), fc.integer({ min: 1, max: 7 }), (lines, size) => {
      const log = new GuestLog(100_000);
      const records = record(log);
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      for (let from = 0; from < bytes.length; from += size) {
        log.write(2, bytes.subarray(from, from + size));
        log.write(1, Buffer.alloc(0));
      }
      expect(log.finish()).toBe(0);
      expect(records).toEqual(lines.map((text) => `2: ${text}`));
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

it("never passes on more bytes than its budget, and counts every byte that it drops", () => {
  const say = fc.record({
    stream: fc.constantFrom(0 as const, 1 as const, 2 as const),
    text: fc.stringMatching(/^[a-z\n]{0,40}$/),
  });
  fc.assert(
    fc.property(fc.array(say), fc.integer({ min: 0, max: 300 }), (says, maxBytes) => {
      const log = new GuestLog(maxBytes);
      let passed = 0;
      const count = (text: string): void => void (passed += Buffer.byteLength(text));
      log.attach({ log: (_, message) => count(message), output: (_, text) => count(text) });
      let said = 0;
      for (const { stream, text } of says) {
        said += Buffer.byteLength(stream === 0 ? text : text.replaceAll("\n", ""));
        if (stream === 0) log.log("info", text);
        else log.write(stream, Buffer.from(text));
      }
      const dropped = log.finish();
      expect(passed).toBeLessThanOrEqual(maxBytes);
      expect(passed + dropped).toBe(said);
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

it("escapes everything that moves a cursor, breaks a line or turns text around", () => {
  expect(escapeControls("a\tb \u001b[2J\u0007 \u009b \u007f \u2028 \u202e é 漢 👩‍🚀")).toBe(
    "a\tb \\u{1b}[2J\\u{7} \\u{9b} \\u{7f} \\u{2028} \\u{202e} é 漢 👩‍🚀",
  );
});
