/**
 * The messages of outbound HTTP. A runner opens an exchange with `http-request` and numbers it. From then on, both sides
 * refer to it by that number.
 *
 * Bodies flow by credit, in both directions: a side may send `FIXED_LIMITS.httpWindowBytes` unasked, then as much as the
 * other side has asked for (the host by `http-wanted`, the runner by `http-read`). So neither side can make the other hold
 * more than a window.
 *
 * An exchange ends with `http-end`, `http-failed` or `http-abort`. Messages of it that cross one of these are ignored.
 *
 * @module
 */

import {
  HTTP_ERROR_CODES,
  MAX_HTTP_FIELD_BYTES,
  MAX_HTTP_FIELDS,
  MAX_HTTP_PART_CHARACTERS,
  type HttpFailure,
  type HttpField,
} from "../../contract/http.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { bytes, type Field, flag, list, oneOf, optionalU32, text, u16, u32 } from "../../channel/fields.ts";
import { message, type MessageOf, record } from "../../channel/message-table.ts";
import { SENTENCE_BYTES } from "../../contract/text-bounds.ts";

/** A name is mostly ASCII; a Latin-1 character in it takes two bytes. */
const name = text(2 * MAX_HTTP_FIELD_BYTES);
const value = bytes(MAX_HTTP_FIELD_BYTES);

const field: Field<HttpField> = {
  maxBytes: name.maxBytes + value.maxBytes,
  memory: "own",
  write([itsName, itsValue], out) {
    name.write(itsName, out);
    value.write(itsValue, out);
  },
  read: (from) => [name.read(from), value.read(from)],
};

/** `MAX_HTTP_FIELD_BYTES` bounds all fields together; each also takes two length prefixes. */
const fields = list(field, MAX_HTTP_FIELDS, MAX_HTTP_FIELDS * 8 + 2 * MAX_HTTP_FIELD_BYTES);

const writtenFailure = record({
  code: oneOf("error code of an exchange", HTTP_ERROR_CODES),
  bytes: optionalU32,
  hasDetail: flag,
  detail: text(SENTENCE_BYTES),
});

/** A failure that was read has only the properties with a value. */
const failure: Field<HttpFailure> = {
  ...writtenFailure,
  write({ code, bytes: size, detail }, out) {
    writtenFailure.write({ code, bytes: size, hasDetail: detail !== undefined, detail: detail ?? "" }, out);
  },
  read(from) {
    const { code, bytes: size, hasDetail, detail } = writtenFailure.read(from);
    return { code, ...(size !== undefined && { bytes: size }), ...(hasDetail && { detail }) };
  },
};

/** A path without a slash gets one. */
const part = text(MAX_HTTP_PART_CHARACTERS + 1);

const body = bytes(FIXED_LIMITS.httpWindowBytes);

/** The host's messages of an exchange. */
export const TO_GUEST = {
  /** The runner may send `bytes` more bytes of the request's body. */
  "http-wanted": message({ exchange: u32, bytes: u32 }),
  "http-response": message({ exchange: u32, response: record({ status: u16, fields }) }),
  "http-chunk": message({ exchange: u32, bytes: body }),
  "http-end": message({ exchange: u32, trailers: fields }),
  "http-failed": message({ exchange: u32, failure }),
};

/** A runner's messages of an exchange. */
export const TO_HOST = {
  "http-request": message({
    call: u32,
    exchange: u32,
    request: record({
      method: part,
      scheme: part,
      authority: part,
      path: part,
      hasBody: flag,
      connectMs: optionalU32,
      firstByteMs: optionalU32,
      betweenBytesMs: optionalU32,
      fields,
    }),
  }),
  "http-body": message({ exchange: u32, bytes: body }),
  /** The request's body is whole. */
  "http-finish": message({ exchange: u32 }),
  /** The host may send `bytes` more bytes of the response's body. */
  "http-read": message({ exchange: u32, bytes: u32 }),
  "http-abort": message({ exchange: u32 }),
};

export type HttpToGuest = MessageOf<typeof TO_GUEST>;

export type HttpToHost = MessageOf<typeof TO_HOST>;
