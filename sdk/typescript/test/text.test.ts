import fc from "fast-check";
import { expect, test } from "vitest";
import * as guest from "../src/guest/text.ts";

/** Node's are the reference. */
const reference = { encoder: new TextEncoder(), decoder: new TextDecoder() };

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  // Leads and continuations, which random bytes seldom put side by side.
  fc
    .array(fc.constantFrom(0x41, 0x80, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xbb, 0xf0, 0x90, 0xf4, 0xf5), {
      maxLength: 24,
    })
    .map((values) => Uint8Array.from(values)),
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => reference.encoder.encode(text)),
);
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", "é", "\ud800", "\udc00", "😀") }),
);

test("every text is encoded as Node encodes it, lone surrogates included", () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(new guest.TextEncoder().encode(text)).toEqual(reference.encoder.encode(text));
    }),
  );
});

test("all bytes are decoded as Node decodes them, broken ones included", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      expect(new guest.TextDecoder().decode(input)).toBe(reference.decoder.decode(input));
    }),
    { numRuns: 2_000 },
  );
});

test("a stream that is cut anywhere gives the text of the whole", () => {
  const cuts = fc.tuple(bytes, fc.array(fc.nat(5), { maxLength: 20 }), fc.boolean());
  fc.assert(
    fc.property(cuts, ([input, lengths, ignoreBOM]) => {
      const mine = new guest.TextDecoder("utf-8", { ignoreBOM });
      const nodes = new TextDecoder("utf-8", { ignoreBOM });
      let at = 0;
      for (const length of lengths) {
        const part = input.subarray(at, (at += length));
        mine.decode(part, { stream: true });
        nodes.decode(part, { stream: true });
      }
      const rest = input.subarray(at);
      expect(mine.decode(rest)).toBe(nodes.decode(rest));
      expect(mine.decode(input)).toBe(nodes.decode(input));
    }),
    { numRuns: 1_000 },
  );
});

test("the parts of a stream are what the whole is", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const decoder = new guest.TextDecoder();
      const parts = [...input].map((byte) => decoder.decode(Uint8Array.of(byte), { stream: true }));
      expect(parts.join("") + decoder.decode()).toBe(reference.decoder.decode(input));
    }),
    { numRuns: 1_000 },
  );
});

test("encodeInto writes whole characters only, as many as there is room for", () => {
  fc.assert(
    fc.property(texts, fc.nat(30), (text, room) => {
      const [mine, nodes] = [new Uint8Array(room), new Uint8Array(room)];
      expect(new guest.TextEncoder().encodeInto(text, mine)).toEqual(reference.encoder.encodeInto(text, nodes));
      expect(mine).toEqual(nodes);
    }),
    { numRuns: 1_000 },
  );
});

test("a fatal decoder throws a TypeError at broken bytes, and decodes the next ones", () => {
  const decoder = new guest.TextDecoder("UTF8", { fatal: true });
  expect(() => decoder.decode(Uint8Array.of(0x41, 0xff))).toThrow(TypeError);
  expect(decoder.decode(Uint8Array.of(0xc3, 0xa9))).toBe("é");
});

test("part of a buffer, a buffer and a view of another kind are decoded for what they hold", () => {
  const { buffer } = Uint8Array.of(0x41, 0x42, 0x43, 0x44);
  const decoder = new guest.TextDecoder();
  expect(decoder.decode(buffer)).toBe("ABCD");
  expect(decoder.decode(new DataView(buffer, 1, 2))).toBe("BC");
  expect(decoder.decode()).toBe("");
});

test("an encoding that is not there is refused by its name", () => {
  expect(() => new guest.TextDecoder("utf-16le")).toThrow(/"utf-8" alone here, not "utf-16le"/);
});
