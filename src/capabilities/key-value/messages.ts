/**
 * The messages of the key-value store. A runner asks for an operation of a call and numbers it; the host answers each
 * operation once, by its number.
 *
 * @module
 */

import { bytes, text, u32 } from "../../channel/fields.ts";
import { message, type MessageOf, variant } from "../../channel/message-table.ts";
import { PLUGIN_LIMITS } from "../../contract/limits.ts";
import { MAX_BUCKET_CHARACTERS } from "../../contract/names.ts";
import { SENTENCE_BYTES, UTF8_PER_CHARACTER } from "../../contract/text-bounds.ts";

const bucket = text(MAX_BUCKET_CHARACTERS * UTF8_PER_CHARACTER);
const key = text(PLUGIN_LIMITS.keyBytes.max * UTF8_PER_CHARACTER);
const value = bytes(PLUGIN_LIMITS.valueBytes.max);

/** A store with a thread of its own reads a large value where it arrived. */
const storedValue = bytes(PLUGIN_LIMITS.valueBytes.max, "shared");

/** The operations, by their names in the contract. */
const OPERATIONS = {
  get: message(
    { bucket, key },
    {
      read: (from) => ({ kind: "get", bucket: bucket.read(from), key: key.read(from) }),
      write(operation, out) {
        out.text(operation.bucket);
        out.text(operation.key);
      },
    },
  ),
  set: message(
    { bucket, key, value: storedValue },
    {
      read: (from) => ({
        kind: "set",
        bucket: bucket.read(from),
        key: key.read(from),
        value: storedValue.read(from),
      }),
      write(operation, out) {
        out.text(operation.bucket);
        out.text(operation.key);
        out.bytes(operation.value);
      },
    },
  ),
};

/** The result of an operation: a value, no value, or the text of an error for the guest. */
const RESULTS = {
  value: message(
    { value },
    {
      read: (from) => ({ kind: "value", value: value.read(from) }),
      write: (result, out) => out.bytes(result.value),
    },
  ),
  none: message({}),
  error: message({ message: text(SENTENCE_BYTES) }),
};

const operation = variant("an operation", OPERATIONS);
const result = variant("an operation's result", RESULTS);

export const TO_HOST = {
  "key-value": message(
    { call: u32, op: u32, operation },
    {
      read: (from) => ({
        kind: "key-value",
        call: from.u32(),
        op: from.u32(),
        operation: operation.read(from),
      }),
      write(value, out) {
        out.u32(value.call);
        out.u32(value.op);
        operation.write(value.operation, out);
      },
    },
  ),
};

export const TO_GUEST = {
  "key-value-result": message(
    { op: u32, result },
    {
      read: (from) => ({ kind: "key-value-result", op: from.u32(), result: result.read(from) }),
      write(value, out) {
        out.u32(value.op);
        result.write(value.result, out);
      },
    },
  ),
};

export type KeyValueToHost = MessageOf<typeof TO_HOST>;
export type KeyValueToGuest = MessageOf<typeof TO_GUEST>;
export type KeyValueOperation = MessageOf<typeof OPERATIONS>;
export type KeyValueResult = MessageOf<typeof RESULTS>;
