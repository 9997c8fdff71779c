/**
 * A URL that may hold a password, and may come from a file instead of a flag or variable.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import { readBounded } from "../nats/kept-file.ts";
import { parseSecret } from "../nats/credentials-text.ts";
import { type Flags, readSecret, readSetting, type Setting, type SettingValue } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** The setting's value; of its variable or, read here and once, of the file that the matching variable names. */
export function readUrlSetting(setting: Setting, flags: Flags, env: Terminal["env"]): SettingValue | undefined {
  const value = readSetting(setting, flags, env);
  // The flag takes precedence over both variables.
  if (value?.from === "flag") return value;
  const secret = readSecret(setting.env, env);
  if (secret === undefined || typeof secret === "string") return value;
  const source = `${setting.env}_FILE`;
  try {
    return { text: parseSecret(readBounded(secret.path)), source, from: "environment" };
  } catch (error) {
    const why = error instanceof Error ? error.message : "it holds something else";
    throw new HostError("usage-invalid", `${source} ${secret.path} cannot be used: ${why}`, { cause: error });
  }
}
