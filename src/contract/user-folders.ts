/**
 * Where a user's files go by default, as the XDG base directory specification has it.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 * @module
 */

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Variables of a process's environment. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that `named` names, if that is an absolute path, as the specification demands; else one of the home folder. */
export function baseFolder(named: string | undefined, env: Environment, below: readonly string[]): string {
  if (named !== undefined && isAbsolute(named)) return named;
  return join(env["HOME"] || homedir(), ...below);
}

/** Where this program keeps what it can obtain again. */
export function cacheFolder(env: Environment): string {
  return join(baseFolder(env["XDG_CACHE_HOME"], env, [".cache"]), "network-host");
}

/** The artifact cache, unless a user names another one. */
export function defaultCacheFolder(env: Environment): string {
  return join(cacheFolder(env), "artifacts");
}
