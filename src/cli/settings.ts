/**
 * A setting is a flag and an environment variable: the flag wins, an empty variable counts as unset, and an error names
 * the source of the value.
 *
 * @module
 */

import { resolve } from "node:path";
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

/** Flags of a command as commander passes them. */
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

/** The path of a file or folder, absolute, if it is given. Throws `usage-invalid` for an empty flag and for a URL. */
export function readPath(setting: Setting, flags: Flags, env: Terminal["env"]): string | undefined {
  const value = readSetting(setting, flags, env);
  return value === undefined ? undefined : parsePath(value);
}

/** The path, made absolute. A URL in its place may hold a password, which nothing would reveal in a path. */
export function parsePath(value: Pick<SettingValue, "text" | "source">): string {
  if (URL_LIKE.test(value.text))
    throw badSetting(value, "write a path; this looks like a URL; if it is a path, put ./ before it");
  return resolve(value.text);
}

/** With a scheme, or with what may be a user and password; a path that begins with `/` or `.` is not one. */
const URL_LIKE = /:\/\/|^[^/.][^:]*:(?:\/|.*@)|^:.*@/s;

/** A secret: its variable's value, or the absolute path that the matching `…_FILE` variable names. They have no flags. */
export type SecretSetting = string | { readonly path: string };

/** Reads a secret's two variables. Throws `usage-invalid` where both are given. */
export function readSecret(name: string, env: Terminal["env"]): SecretSetting | undefined {
  const [text = "", path = ""] = [env[name], env[fileVariable(name)]];
  if (text !== "" && path !== "") {
    throw new HostError("usage-invalid", `${name} and ${fileVariable(name)} are both given: leave one out`);
  }
  if (path !== "") return { path: parsePath({ text: path, source: fileVariable(name) }) };
  return text === "" ? undefined : text;
}

/** The variable that names a file with the other variable's value. */
export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/** An error that names the setting, its value (unless it may hold a secret), and what to write. */
export function badSetting({ source, text }: Pick<SettingValue, "text" | "source">, advice: string): HostError {
  return new HostError("usage-invalid", `${source}${quoted(text)}: ${advice}`);
}

/**
 * ` "text"`, or nothing where the text may be, or may be a part of, a URL with a password: if such a URL is malformed,
 * no rule says which part is the password.
 */
export function quoted(text: string): string {
  return HARMLESS.test(text) ? ` ${JSON.stringify(text)}` : "";
}

/** A scheme or none, nothing with an `@`, and behind a `:` at most a number that could be a port. */
const HARMLESS = /^(?:[a-z+]{1,16}:\/\/)?[^@:]*(?::\d{0,5})?$/;
