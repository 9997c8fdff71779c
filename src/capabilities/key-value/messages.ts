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
  get: message({ bucket, key }, (from) => ({ kind: "get", bucket: bucket.read(from), key: key.read(from) })),
  set: message({ bucket, key, value: storedValue }, (from) => ({
    kind: "set",
    bucket: bucket.read(from),
    key: key.read(from),
    value: storedValue.read(from),
  })),
};

/** The result of an operation: a value, no value, or the text of an error for the guest. */
const RESULTS = {
  value: message({ value }, (from) => ({ kind: "value", value: value.read(from) })),
  none: message({}),
  error: message({ message: text(SENTENCE_BYTES) }),
};

const operation = variant("an operation", OPERATIONS);
const result = variant("an operation's result", RESULTS);

export const TO_HOST = {
  "key-value": message({ call: u32, op: u32, operation }, (from) => ({
    kind: "key-value",
    call: from.u32(),
    op: from.u32(),
    operation: operation.read(from),
  })),
};

export const TO_GUEST = {
  "key-value-result": message({ op: u32, result }, (from) => ({
    kind: "key-value-result",
    op: from.u32(),
    result: result.read(from),
  })),
};

export type KeyValueToHost = MessageOf<typeof TO_HOST>;
export type KeyValueToGuest = MessageOf<typeof TO_GUEST>;
export type KeyValueOperation = MessageOf<typeof OPERATIONS>;
export type KeyValueResult = MessageOf<typeof RESULTS>;
