import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Opening, StreamEvent } from "../../../src/wrpc/frames.ts";
import { encodeFrame, encodeOpening, FrameReader, MAX_OPENING_BYTES } from "../../../src/wrpc/frames.ts";
import {
  encodeValue,
  GET_ACCESS_LEVELS,
  HANDLE_REQUEST,
  HANDLER_FUNCTIONS,
  HANDLER_INSTANCE,
} from "../../../src/wrpc/handler-functions.ts";
import { type Decoding, ValuesDecoder } from "../../../src/wrpc/values-decoder.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const INSTANCE_HEX = Buffer.from("local:network-host/handler@1.0.0").toString("hex");

/** Whole conversations as captured between the Rust crates. */
const LEVELS_CALL = `0020${INSTANCE_HEX}11${Buffer.from("get-access-levels").toString("hex")}0000`;
const REQUEST_CALL = `0020${INSTANCE_HEX}0e${Buffer.from("handle-request").toString("hex")}00080137026f6b026869`;

const request = { id: "7", method: "ok", payload: Buffer.from("hi") };

/** The bytes cut at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function readAll(reader: FrameReader, chunks: Iterable<Uint8Array>): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (const chunk of chunks) events.push(...reader.push(chunk));
  return events;
}

/** Its events with all data joined. */
function summary(events: readonly StreamEvent[]): { openings: Opening[]; data: string; problems: string[] } {
  return {
    openings: events.flatMap((event) => (event.kind === "opening" ? [event.opening] : [])),
    data: Buffer.concat(events.flatMap((event) => (event.kind === "data" ? [event.data] : []))).toString("hex"),
    problems: events.flatMap((event) => (event.kind === "malformed" ? [event.problem] : [])),
  };
}

function decodeAll<Value>(decoder: ValuesDecoder<Value>, chunks: Iterable<Uint8Array>): Decoding<Value> {
  let decoding: Decoding<Value> = { kind: "more" };
  for (const chunk of chunks) {
    if (decoding.kind !== "more") break;
    decoding = decoder.push(chunk);
  }
  return decoding;
}

describe("the handler's functions", () => {
  test("are those of the contract, and there are no others", () => {
    expect([...HANDLER_FUNCTIONS.keys()].sort()).toEqual(["get-access-levels", "handle-request"]);
    expect(HANDLER_INSTANCE).toBe("local:network-host/handler@1.0.0");
  });

  test("have the parameters and results that the Rust crates send", () => {
    const encoded = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString("hex");
    expect(encoded(encodeValue(HANDLE_REQUEST.parameters, [request]))).toBe("0137026f6b026869");
    expect(encoded(encodeValue(GET_ACCESS_LEVELS.parameters, []))).toBe("");
    expect(encoded(encodeValue(GET_ACCESS_LEVELS.result, 0b101))).toBe("05");
    const ok = { tag: "ok", val: { status: 503, body: Buffer.from("hi") } } as const;
    expect(encoded(encodeValue(HANDLE_REQUEST.result, ok))).toBe("00f703026869");
    expect(encoded(encodeValue(HANDLE_REQUEST.result, { tag: "err", val: "no 7" }))).toBe("01046e6f2037");
  });
});

describe("a call's stream", () => {
  test("as captured is read and written byte for byte", () => {
    const opening = { instance: HANDLER_INSTANCE, name: "handle-request" };
    const written = Buffer.concat([
      encodeOpening(opening),
      ...encodeFrame(encodeValue(HANDLE_REQUEST.parameters, [request])),
    ]);
    expect(written.toString("hex")).toBe(REQUEST_CALL);
    const reader = new FrameReader("caller", 10);
    expect(summary(readAll(reader, [written]))).toEqual({
      openings: [opening],
      data: "0137026f6b026869",
      problems: [],
    });
    expect(reader.isAtFrameEnd).toBe(true);
    const levels = { instance: HANDLER_INSTANCE, name: "get-access-levels" };
    expect(Buffer.concat([encodeOpening(levels), ...encodeFrame([])]).toString("hex")).toBe(LEVELS_CALL);
  });

  test(
    "is read the same however it is cut into chunks and its data into frames",
    () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 300 }),
          fc.array(fc.nat(), { maxLength: 6 }),
          fc.array(fc.nat(), { maxLength: 40 }),
          (data, frameCuts, chunkCuts) => {
            const opening = { instance: HANDLER_INSTANCE, name: "é".repeat(120) };
            const frames = cut(data, frameCuts).flatMap((part) => encodeFrame([part]));
            const stream = Buffer.concat([encodeOpening(opening), ...frames]);
            const reader = new FrameReader("caller", 10);
            expect(summary(readAll(reader, cut(stream, chunkCuts)))).toEqual({
              openings: [opening],
              data: Buffer.from(data).toString("hex"),
              problems: [],
            });
            expect(reader.isAtFrameEnd).toBe(true);
          },
        ),
        { numRuns: 1_000 },
      );
    },
    PROPERTY_TIME_MS,
  );

  test.each([
    ["another version", "01", "version 1 of the framing is unknown"],
    ["a name that is too long", "00ff7f", "a name or the beginning of a frame is too long"],
    ["a name that is not UTF-8", "0001ff00", "a string is not UTF-8"],
    ["a length of more than 32 bits", "ffffffffff", "version 255 of the framing is unknown"],
  ])("with %s is refused at once", (_, bytes, problem) => {
    expect(readAll(new FrameReader("caller", 10), [Buffer.from(bytes, "hex")])).toEqual([
      { kind: "malformed", problem },
    ]);
  });

  test.each([
    ["for a stream or a future", "0100", "a frame is for a stream or a future, and this function has none"],
    ["with a length of more than 32 bits", "00ffffffff10", "a number has more than 32 bits"],
    ["with a number that never ends", "80808080808080", "a number has more than 32 bits"],
    ["too many", "0000".repeat(11), "more than 10 frames"],
  ])("with a frame %s is refused", (_, bytes, problem) => {
    expect(summary(readAll(new FrameReader("callee", 10), [Buffer.from(bytes, "hex")])).problems).toEqual([problem]);
  });

  test("is not read on once it was refused", () => {
    const reader = new FrameReader("callee", 10);
    expect(readAll(reader, [Buffer.from("0101", "hex"), Buffer.from("000161", "hex")])).toHaveLength(1);
  });

  test(
    "of random bytes holds back no more than the beginning of a call",
    () => {
      fc.assert(
        fc.property(
          fc.constantFrom("caller" as const, "callee" as const),
          fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 60 }),
          fc.boolean(),
          (side, chunks, isLikely) => {
            const reader = new FrameReader(side, 100);
            const all = isLikely ? [Buffer.from(REQUEST_CALL, "hex"), ...chunks] : chunks;
            const given = all.reduce((sum, chunk) => sum + chunk.length, 0);
            const { data } = summary(readAll(reader, all));
            expect(data.length / 2).toBeLessThanOrEqual(given);
            expect(reader.heldBytes).toBeLessThanOrEqual(MAX_OPENING_BYTES);
          },
        ),
        { numRuns: 2_000 },
      );
    },
    PROPERTY_TIME_MS,
  );
});

describe("parameters", () => {
  const decoder = (maxBytes = 1_000) => new ValuesDecoder(HANDLE_REQUEST.parameters, maxBytes);

  test(
    "are decoded however they are cut, and not before they are there",
    () => {
      fc.assert(
        fc.property(
          fc.record({
            id: fc.string({ unit: "binary", maxLength: 20 }),
            method: fc.string({ maxLength: 20 }),
            payload: fc.uint8Array({ maxLength: 5_000 }),
          }),
          fc.array(fc.nat(), { maxLength: 30 }),
          (sent, cuts) => {
            const bytes = Buffer.concat(encodeValue(HANDLE_REQUEST.parameters, [sent]));
            const decoding = decodeAll(decoder(10_000), cut(bytes, cuts));
            expect(decoding.kind).toBe("decoded");
            const [{ id, method, payload }] = decoding.kind === "decoded" ? decoding.value : [request];
            expect({ id, method, payload: Uint8Array.from(payload) }).toEqual(sent);
            expect(decodeAll(decoder(10_000), cut(bytes.subarray(0, -1), cuts))).toEqual({ kind: "more" });
          },
        ),
        { numRuns: 1_000 },
      );
    },
    PROPERTY_TIME_MS,
  );

  test("byte by byte are looked at once per field, not once per byte", () => {
    let reads = 0;
    const counted = {
      ...HANDLE_REQUEST.parameters,
      read: (from: Parameters<typeof HANDLE_REQUEST.parameters.read>[0]) => {
        reads += 1;
        return HANDLE_REQUEST.parameters.read(from);
      },
    };
    const bytes = Buffer.concat(
      encodeValue(HANDLE_REQUEST.parameters, [{ ...request, payload: new Uint8Array(100_000) }]),
    );
    const one = new ValuesDecoder(counted, 200_000);
    let decoding: Decoding<unknown> = { kind: "more" };
    for (const byte of bytes) {
      decoding = one.push(Uint8Array.of(byte));
      expect(one.heldBytes).toBeLessThanOrEqual(200_000);
    }
    expect(decoding.kind).toBe("decoded");
    expect(reads).toBeLessThan(10);
  });

  test("with bytes behind them are refused", () => {
    expect(decoder().push(Buffer.from("0137026f6b02686900", "hex"))).toEqual({
      kind: "malformed",
      problem: "1 bytes follow the last value",
    });
    expect(new ValuesDecoder(GET_ACCESS_LEVELS.parameters, 1).push(Buffer.from("00", "hex"))).toMatchObject({
      kind: "malformed",
    });
  });

  test("of a function without any are there from the beginning", () => {
    expect(new ValuesDecoder(GET_ACCESS_LEVELS.parameters, 0).push(new Uint8Array(0))).toEqual({
      kind: "decoded",
      value: [],
    });
  });

  test("that announce more than is allowed are refused before they arrive, and nothing is kept of them", () => {
    const one = decoder();
    expect(one.push(Buffer.from("0137026f6bffffffff0f", "hex"))).toMatchObject({ kind: "too-large" });
    expect(one.heldBytes).toBe(0);
  });

  test(
    "of random bytes are decoded or refused, within the limit",
    () => {
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 40 }), (chunks) => {
          const one = decoder(200);
          for (const chunk of chunks) {
            const { kind } = one.push(chunk);
            expect(one.heldBytes).toBeLessThanOrEqual(1_024);
            if (kind !== "more") break;
          }
        }),
        { numRuns: 2_000 },
      );
    },
    PROPERTY_TIME_MS,
  );
});
