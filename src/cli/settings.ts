/**
 * A setting is a flag with an environment variable behind it: the flag wins, an empty variable counts as
 * unset, and an error names the one that the value came from.
 *
 * @module
 */

import { Option } from "commander";
import { HostError } from "../errors/host-error.ts";
import type { Terminal } from "./terminal.ts";

/** One setting. */
export interface Setting {
  /** As commander has it: `--nats <urls>`. */
  readonly flags: string;
  readonly env: string;
  readonly description: string;
  /** The default in words, where there is one. */
  readonly fallback?: string;
}

/** A setting's value and where it came from. */
export interface SettingValue {
  readonly text: string;
  /** `--nats` or `NATS_URL`. */
  readonly source: string;
  readonly from: "flag" | "environment";
}

/** Flags of a command as commander hands them over. */
export type Flags = Readonly<Record<string, unknown>>;

/** The setting as an option of a command. */
export function settingOption(setting: Setting): Option {
  const fallback = setting.fallback === undefined ? "" : `; default ${setting.fallback}`;
  return new Option(setting.flags, `${setting.description} (env ${setting.env}${fallback})`);
}

/** The setting's value, if it is given. Throws `usage-invalid` for an empty flag. */
export function readSetting(setting: Setting, flags: Flags, env: Terminal["env"]): SettingValue | undefined {
  const option = new Option(setting.flags);
  const given = flags[option.attributeName()];
  const source = option.long ?? setting.flags;
  if (typeof given === "string") {
    if (given === "") throw new HostError("usage-invalid", `${source} is empty: give it a value or leave it out`);
    return { text: given, source, from: "flag" };
  }
  const text = env[setting.env];
  return text === undefined || text === "" ? undefined : { text, source: setting.env, from: "environment" };
}

/** An error that names the setting and what to write. `text` is shown, so it must hold no secret. */
export function badSetting({ source }: SettingValue, shown: string, advice: string): HostError {
  return new HostError("usage-invalid", `${source} ${JSON.stringify(shown)}: ${advice}`);
}
