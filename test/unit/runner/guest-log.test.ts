import fc from "fast-check";
import { expect, it } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { LogRate } from "../../../src/contract/log-rate.ts";
import { escapeControls, GuestLog } from "../../../src/runner/guest/guest-log.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** A rate that is used up unless its clock is turned: `room` lines pass at first, and one more a millisecond. */
function slowRate(room: number): { readonly rate: LogRate; readonly clock: { ms: number } } {
  const clock = { ms: 0 };
  const options = { linesPerSecond: 1_000, bytesPerSecond: 1_000_000, burstSeconds: room / 1_000 };
  return { rate: new LogRate({ ...options, clock: () => clock.ms }), clock };
}

function record(log: GuestLog): string[] {
  const records: string[] = [];
  log.attach({
    log: (level, message) => records.push(`${level}: ${message}`),
    output: (stream, text) => records.push(`${stream}: ${text}`),
  });
  return records;
}

it("keeps what was said before there was a call, in its order", () => {
  const log = new GuestLog(1_000, new LogRate());
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
      const log = new GuestLog(100_000, new LogRate());
      const records = record(log);
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      for (let from = 0; from < bytes.length; from += size) {
        log.write(2, bytes.subarray(from, from + size));
        log.write(1, Buffer.alloc(0));
      }
      expect(log.finish()).toBeUndefined();
      expect(records).toEqual(lines.map((text) => `2: ${text}`));
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

it("never passes on more than its budget and its rate, and counts every byte that it drops", () => {
  const say = fc.record({
    stream: fc.constantFrom(0 as const, 1 as const, 2 as const),
    text: fc.stringMatching(/^[a-z\n]{0,40}$/),
  });
  const room = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(say), fc.integer({ min: 0, max: 300 }), room, (says, maxBytes, maxLines) => {
      const log = new GuestLog(maxBytes, slowRate(maxLines).rate);
      let passed = 0;
      let lines = 0;
      const count = (text: string): void => {
        passed += Buffer.byteLength(text);
        lines += 1;
      };
      log.attach({ log: (_, message) => count(message), output: (_, text) => count(text) });
      let said = 0;
      for (const { stream, text } of says) {
        said += Buffer.byteLength(stream === 0 ? text : text.replaceAll("\n", ""));
        if (stream === 0) log.log("info", text);
        else log.write(stream, Buffer.from(text));
      }
      const { bytes, missedBytes } = log.finish() ?? { bytes: 0, missedBytes: 0 };
      expect(passed).toBeLessThanOrEqual(maxBytes);
      expect(lines).toBeLessThanOrEqual(maxLines);
      expect(passed + bytes + missedBytes).toBe(said);
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

it("has an end for lines of few bytes, too, and says that it was reached", () => {
  const log = new GuestLog(1024 * 1024, new LogRate());
  const records = record(log);
  for (let line = 0; line < FIXED_LIMITS.logLines + 10; line++) log.log("info", "");
  log.write(1, Buffer.from("x\ny"));
  expect(records).toHaveLength(FIXED_LIMITS.logLines);
  expect(log.finish()).toEqual({ lines: 12, bytes: 2, missedBytes: 0, missedLines: 0 });
});

it("drops what is beyond the rate of all calls, and leaves the budget of its call for when there is room again", () => {
  const { rate, clock } = slowRate(2);
  const loud = new GuestLog(10_000, rate);
  const log = new GuestLog(100, rate);
  const [others, records] = [record(loud), record(log)];
  loud.log("info", "one");
  loud.log("info", "two");
  for (let line = 0; line < 10; line++) {
    log.log("info", "x".repeat(50));
    log.write(1, Buffer.from(`${"y".repeat(50)}\n`));
  }
  expect(others).toEqual(["info: one", "info: two"]);
  expect(records).toEqual([]);
  clock.ms += 2;
  log.log("info", "x".repeat(50));
  log.write(1, Buffer.from(`${"y".repeat(50)}\n`));
  expect(records).toEqual([`info: ${"x".repeat(50)}`, `1: ${"y".repeat(50)}`]);
  expect(log.finish()).toEqual({ lines: 0, bytes: 0, missedBytes: 20 * 50, missedLines: 20 });
  expect(loud.finish()).toBeUndefined();
});

it("tells the lines that a call missed with the next one where that call was given up", () => {
  const { rate } = slowRate(1);
  const [first, second] = [new GuestLog(1_000, rate), new GuestLog(1_000, rate)];
  for (const log of [first, second]) record(log);
  for (let line = 0; line < 5; line++) first.log("info", "x");
  expect(second.finish()).toEqual({ lines: 0, bytes: 0, missedBytes: 0, missedLines: 4 });
});

it("asks the rate about what was said early when there is a call", () => {
  const { rate, clock } = slowRate(2);
  const prepared = Array.from({ length: 3 }, (_, index) => {
    const log = new GuestLog(1_000, rate);
    log.log("info", `hello ${index}`);
    return log;
  });
  clock.ms += 60_000;
  expect(prepared.map(record)).toEqual([["info: hello 0"], ["info: hello 1"], []]);
});

it("spends of the rate what the host will count: escaped bytes", () => {
  const rate = new LogRate({ linesPerSecond: 1_000, bytesPerSecond: 300, burstSeconds: 1, clock: () => 0 });
  const log = new GuestLog(10_000, rate);
  const records = record(log);
  for (let line = 0; line < 10; line++) log.write(1, Buffer.from("\u001b".repeat(20).concat("\n")));
  expect(records.map((text) => text.length)).toEqual(Array.from({ length: 3 }, () => "1: ".length + 20 * 6));
});

it("escapes everything that moves a cursor, breaks a line or turns text around", () => {
  expect(escapeControls("a\tb \u001b[2J\u0007 \u009b \u007f \u2028 \u202e é 漢 👩‍🚀")).toBe(
    "a\tb \\u{1b}[2J\\u{7} \\u{9b} \\u{7f} \\u{2028} \\u{202e} é 漢 👩‍🚀",
  );
});
