/**
 * Parses the files that hold credentials: a secret in a file of its own, an NKEY seed, a user's `.creds` file. Line
 * ends may be those of any system, and the last one may be missing. No error message quotes the content.
 *
 * @module
 */

import { nkeys } from "nats";

/** What a `.creds` file holds. */
export interface UserCredentials {
  readonly jwt: string;
  readonly seed: string;
}

/** A secret in a file: its one line. */
export function parseSecret(text: string): string {
  const secret = text.replace(/^\uFEFF/, "").replace(/\r?\n$/, "");
  if (secret === "") throw new TypeError("it is empty");
  if (/[\r\n\0]/.test(secret)) throw new TypeError("it has more than one line");
  return secret;
}

/** The seed of a user's NKEY, alone or, as `nk` and `nsc` write it, between two lines of dashes. */
export function parseSeed(text: string): string {
  return requireSeed(blockOf(text, "USER NKEY SEED") ?? parseSecret(text.trim()));
}

/** The two blocks of a `.creds` file. */
export function parseUserCredentials(text: string): UserCredentials {
  const jwt = blockOf(text, "NATS USER JWT");
  if (jwt === undefined || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) throw new TypeError("it holds no user's JWT");
  const seed = blockOf(text, "USER NKEY SEED");
  if (seed === undefined) throw new TypeError("it holds no NKEY seed");
  return { jwt, seed: requireSeed(seed) };
}

/** The text between the lines `BEGIN` and `END` of this name. */
function blockOf(text: string, name: string): string | undefined {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const begin = lines.findIndex((line) => line.startsWith("---") && line.includes(`BEGIN ${name}`));
  const end = lines.findIndex((line) => line.startsWith("---") && line.includes(`END ${name}`));
  return begin === -1 || end < begin ? undefined : lines.slice(begin + 1, end).join("");
}

/** Checks that the seed is valid and a user's: every server would refuse an account's or an operator's. */
function requireSeed(seed: string): string {
  let key: string;
  try {
    key = nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey();
  } catch {
    // The library's message is not repeated: it may quote the seed.
    throw new TypeError("it holds no NKEY seed");
  }
  if (!key.startsWith("U")) throw new TypeError("its NKEY seed is not that of a user");
  return seed;
}
