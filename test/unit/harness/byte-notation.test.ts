import fc from "fast-check";
import { expect, test } from "vitest";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { formatBytes, parseBytes } from "../../harness/wrpc/byte-notation.ts";

test("bytes are as they were when they were written down and read", () => {
  const runs = fc
    .array(fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 40 })))
    .map((all) => Buffer.concat(all.map(([byte, times]) => Buffer.alloc(times, byte))));
  const texts = fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), runs, texts), (bytes) => {
      expect(parseBytes(formatBytes(bytes))).toEqual(Buffer.from(bytes));
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("an invocation can be read, its lengths apart from its texts", () => {
  const invocation = Buffer.concat([
    Buffer.from([0, 0x20]),
    Buffer.from("local:network-host/handler@1.0.0"),
    Buffer.from([0x0e]),
    Buffer.from("handle-request"),
    Buffer.alloc(300_000, "x"),
  ]);
  expect(formatBytes(invocation)).toBe("00 20 'local:network-host/handler@1.0.0' 0e 'handle-request' 78*300000");
});

test.each(["0", "00 1", "'open", "00  01", "00,01", "zz", "00*"])("%s is not taken for bytes", (text) => {
  expect(() => parseBytes(text)).toThrow(RangeError);
});
