/**
 * What a plugin is called and may do in the commands that try one: by a policy file, or a folder of them; without one, it
 * gets what it requests, buckets of its own that are forgotten afterwards, and the hosts named.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { Option } from "commander";
import type { PolicyChoice } from "../app-workbench.ts";
import type { PluginName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { allowedHostProblem } from "../policy/allowed-host.ts";
import { requestedPolicy } from "../policy/requested-policy.ts";
import { nameOfFile, parsePluginName } from "./plugin-name.ts";
import { collect } from "./request-arguments.ts";
import { badSetting, parsePath } from "./settings.ts";

/** The flags of {@link TRIED_OPTIONS}. */
export interface TriedFlags {
  readonly plugin?: string;
  readonly policy?: string;
  readonly allowHost: readonly string[];
}

/** The options of commands that try one plugin. */
export const TRIED_OPTIONS: readonly Option[] = [
  new Option("--plugin <name>", "the plugin's name (default: the policy file's, or derived from the component's)"),
  new Option("--policy <path>", "a policy file, or a folder with one of the plugin (default: all that it requests)"),
  new Option("--allow-host <target>", "without --policy: a host that it may call; may be repeated")
    .argParser(collect)
    .default([], "none"),
];

/** A plugin's name and policy. */
export interface TriedPlugin {
  readonly name: PluginName;
  readonly policy: PolicyChoice;
}

/** Reads the flags, and the policy that they name. Throws `usage-invalid` and `config-invalid`. */
export async function readTriedPlugin(componentPath: string, flags: TriedFlags): Promise<TriedPlugin> {
  const named = flags.plugin === undefined ? undefined : parsePluginName(flags.plugin);
  for (const text of flags.allowHost) {
    const problem = allowedHostProblem(text);
    if (problem !== undefined) throw badSetting({ text, source: "--allow-host" }, problem);
  }
  if (flags.policy === undefined) {
    const name = named ?? nameOfFile(componentPath);
    return { name, policy: (requested) => requestedPolicy(name, requested, flags.allowHost) };
  }
  if (flags.allowHost.length > 0) {
    throw new HostError("usage-invalid", "--policy and --allow-host are both given: name the host in the policy");
  }
  return await readPolicy(parsePath({ text: flags.policy, source: "--policy" }), named, componentPath);
}

async function readPolicy(path: string, named: PluginName | undefined, componentPath: string): Promise<TriedPlugin> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) {
    const { loadPolicyDir } = await import("../config/policy-folder.ts");
    const name = named ?? nameOfFile(componentPath);
    return { name, policy: (await loadPolicyDir(path)).policyFor(name) };
  }
  const { loadPolicyFile } = await import("../config/policy-file.ts");
  const { policy } = await loadPolicyFile(path);
  if (named === undefined || named === policy.plugin) return { name: policy.plugin, policy };
  throw new HostError("usage-invalid", `--plugin ${named}: ${path} is the policy of ${policy.plugin}`);
}
