/**
 * The files of keys, and the password of the private one.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import { parseSecret } from "../nats/credentials-text.ts";
import { readBounded } from "../nats/kept-file.ts";
import { SigningKey } from "../signatures/signing-key.ts";
import { parseVerificationKey, type VerificationKey } from "../signatures/verification-key.ts";
import { fileVariable, parsePath, readSecret } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** Has no flag, because a process list shows flags. */
export const SIGNING_PASSWORD = "SIGNING_KEY_PASSWORD";

/** The key of a file that signs. Throws `usage-invalid` where it cannot be read, and `key-unusable`. */
export function readSigningKey(text: string, env: Terminal["env"]): SigningKey {
  const path = parsePath({ text, source: "--key" });
  return new SigningKey(readFile(path, "--key"), readPassword(env), path);
}

/** The keys of files that signatures are checked with. Throws `usage-invalid` where one cannot be read, and `key-unusable`. */
export function readVerificationKeys(texts: readonly string[]): readonly VerificationKey[] {
  return texts.map((text) => {
    const path = parsePath({ text, source: "--key" });
    const parsed = parseVerificationKey(readFile(path, "--key"));
    if (parsed.kind === "key") return parsed.key;
    throw new HostError("key-unusable", `${path} cannot be used: ${parsed.problem}`);
  });
}

function readPassword(env: Terminal["env"]): string | undefined {
  const secret = readSecret(SIGNING_PASSWORD, env);
  if (secret === undefined || typeof secret === "string") return secret;
  const source = fileVariable(SIGNING_PASSWORD);
  const text = readFile(secret.path, source);
  try {
    return parseSecret(text);
  } catch (error) {
    throw unusable(source, secret.path, error);
  }
}

function readFile(path: string, source: string): string {
  try {
    return readBounded(path);
  } catch (error) {
    throw unusable(source, path, error);
  }
}

function unusable(source: string, path: string, error: unknown): HostError {
  const why = error instanceof Error ? error.message : "it holds something else";
  return new HostError("usage-invalid", `${source} ${path} cannot be used: ${why}`, { cause: error });
}
