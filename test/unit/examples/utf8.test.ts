import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeUtf8, encodeUtf8 } from "../../../examples/user-data-ts/utf8.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const TIME_BUDGET = { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 };

/** Bytes that begin, continue and break UTF-8 sequences, far more often than random ones do. */
const bytes = fc
  .array(fc.oneof(fc.constantFrom(0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4), fc.nat(0xff)))
  .map((values) => Uint8Array.from(values));

describe("UTF-8 of the TypeScript example", () => {
  it("decodes any bytes as the platform's TextDecoder does", () => {
    const platform = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(bytes, (input) => decodeUtf8(input) === platform.decode(input)),
      TIME_BUDGET,
    );
  });

  it("encodes any text, unpaired surrogates included, as the platform's TextEncoder does", () => {
    const platform = new TextEncoder();
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (input) => Buffer.compare(encodeUtf8(input), platform.encode(input)) === 0,
      ),
      TIME_BUDGET,
    );
    expect([...encodeUtf8("\ud800")]).toEqual([...platform.encode("\ud800")]);
  });
});
