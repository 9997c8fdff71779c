/** The client's values are those that the host makes of the contract's WIT. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { levelsFromBits } from "../../../src/contract/access-levels.ts";
import { MAX_STATUS } from "../../../src/contract/request.ts";
import { ERROR_CODES as ALL_CODES, errorRow } from "../../../src/errors/table.ts";
import {
  encodeValue,
  GET_ACCESS_LEVELS,
  HANDLE_REQUEST,
  HANDLER_INSTANCE,
} from "../../../src/wrpc/handler-functions.ts";
import { ValuesDecoder } from "../../../src/wrpc/values-decoder.ts";
import { decodeLevels, decodeResponse, encodeRequest, HANDLER, parseRefusal } from "../src/wrpc/handler-values.ts";

const BYTES = fc.uint8Array({ maxLength: 300 });

describe("the client's wRPC values", () => {
  test("of a request are read by the host", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), BYTES, (id, method, payload) => {
        const encoded = Buffer.concat(encodeRequest({ id, method, payload }));
        const decoded = new ValuesDecoder(HANDLE_REQUEST.parameters, encoded.length).push(encoded);
        if (decoded.kind !== "decoded") throw new Error(decoded.kind);
        const [request] = decoded.value;
        expect([request.id, request.method]).toEqual([id, method]);
        expect(Buffer.compare(request.payload, payload)).toBe(0);
      }),
    );
  });

  test("of a response are those that the host writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_STATUS }), BYTES, (status, body) => {
        const encoded = encodeValue(HANDLE_REQUEST.result, { tag: "ok", val: { status, body } });
        const result = decodeResponse(Buffer.concat(encoded));
        if (result.kind !== "answered") throw new Error(result.failure.text);
        expect(result.status).toBe(status);
        expect(Buffer.compare(result.body, body)).toBe(0);
      }),
    );
  });

  test("of any bytes are a result or a failure, and nothing is thrown", () => {
    fc.assert(
      fc.property(BYTES, (bytes) => {
        expect(decodeResponse(bytes).kind).toMatch(/^answered$|^failed$/);
        expect(decodeLevels(bytes).kind).toMatch(/^levels$|^failed$/);
      }),
    );
  });

  test("of every set of access levels are the host's", () => {
    for (let bits = 0; bits < 8; bits += 1) {
      const result = decodeLevels(Buffer.concat(encodeValue(GET_ACCESS_LEVELS.result, bits)));
      expect(result).toEqual({ kind: "levels", levels: levelsFromBits(bits) });
    }
    expect(HANDLER).toBe(HANDLER_INSTANCE);
  });

  test("of a refusal have the code of the table, whatever the sentence", () => {
    for (const code of ALL_CODES) {
      const { work, retryable, summary } = errorRow(code);
      const encoded = encodeValue(HANDLE_REQUEST.result, { tag: "err", val: `${code}: ${summary}` });
      const result = decodeResponse(Buffer.concat(encoded));
      if (result.kind !== "failed") throw new Error("it is read as an answer");
      const expected =
        work === undefined ? { code: "plugin-error" } : { code, isRetryable: retryable, mayHaveRun: work === "maybe" };
      expect(result.failure).toMatchObject(expected);
    }
    for (const text of ["", "no", "no: 7", "overloaded", ": x", "Overloaded: x"])
      expect(parseRefusal(text)).toBeUndefined();
  });
});
