/**
 * Digests of components and of an artifact's files.
 *
 * @module
 */

import { hash } from "node:crypto";
import type { Digest } from "./names.ts";

/** SHA-256 of the bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return hash("sha256", bytes, "hex") as Digest;
}
