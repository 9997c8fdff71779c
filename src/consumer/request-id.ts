/**
 * Ids for requests without one.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";

const ID_BYTES = 12;
/** Asking the system for a few bytes costs as much as asking for many. */
const IDS_AT_A_TIME = 256;

const bytes = Buffer.alloc(ID_BYTES * IDS_AT_A_TIME);
let at = bytes.length;

/** 16 characters of 96 random bits: short in a log, and unique for all practical purposes. */
export function newRequestId(): string {
  if (at === bytes.length) {
    randomFillSync(bytes);
    at = 0;
  }
  at += ID_BYTES;
  return bytes.toString("base64url", at - ID_BYTES, at);
}
