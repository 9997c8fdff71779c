/**
 * Digests of components and of an artifact's files.
 *
 * @module
 */

import { hash } from "node:crypto";
import type { Digest } from "./names.ts";

/** Hexadecimal digits that identify a digest to a reader. */
const SHORT_DIGITS = 12;

/** The beginning of a digest, for logs and names. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, SHORT_DIGITS);
}

/** SHA-256 of the bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return hash("sha256", bytes, "hex") as Digest;
}
