/**
 * The settings of commands that speak to registries.
 *
 * @module
 */

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { HostError } from "../errors/host-error.ts";
import type { RegistryAccess } from "../oci/registry-access.ts";
import {
  isRegistryHost,
  type OciReference,
  type ParsedReference,
  parseReference,
  parseRepository,
} from "../oci/reference.ts";
import { badSetting, type Flags, quoted, readPath, readSetting, type Setting } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const SETTING = {
  plainHttp: {
    flags: "--registry-plain-http <hosts>",
    env: "REGISTRY_PLAIN_HTTP",
    description: "speak plain HTTP with these registries: host or host:port, separated by commas",
  },
  ca: {
    flags: "--registry-ca <file>",
    env: "REGISTRY_CA",
    description: "trust these certificate authorities, too, for registries (PEM)",
  },
} as const satisfies Record<string, Setting>;

export const REGISTRY_SETTINGS: readonly Setting[] = Object.values(SETTING);

/** Reads the settings, Docker's folder and the usual variables of proxies. Throws `usage-invalid`. */
export function parseRegistryAccess(flags: Flags, env: Terminal["env"]): RegistryAccess {
  const caFile = readPath(SETTING.ca, flags, env);
  return {
    plainHttpHosts: parseHosts(flags, env),
    ...(caFile !== undefined && { caFile }),
    proxies: {
      ...proxySetting("http", "HTTP_PROXY", env),
      ...proxySetting("https", "HTTPS_PROXY", env),
      none: variable("NO_PROXY", env) ?? "",
    },
    dockerFolder: resolve(env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker")),
    env: { ...env },
  };
}

/** Reads an argument. Throws `usage-invalid`. */
export function parseReferenceArgument(text: string): OciReference {
  return expectReference(text, parseReference(text));
}

/** Reads an argument that names a repository, without a tag. Throws `usage-invalid`. */
export function parseRepositoryArgument(text: string): OciReference {
  return expectReference(text, parseRepository(text));
}

function expectReference(text: string, parsed: ParsedReference): OciReference {
  if (parsed.kind === "reference") return parsed.reference;
  throw new HostError("usage-invalid", `the reference${quoted(text)} cannot be used: ${parsed.problem}`);
}

function parseHosts(flags: Flags, env: Terminal["env"]): readonly string[] {
  const value = readSetting(SETTING.plainHttp, flags, env);
  if (value === undefined) return [];
  const hosts = value.text.split(",").map((host) => host.trim().toLowerCase());
  if (hosts.every(isRegistryHost)) return hosts;
  throw badSetting(value, "write host or host:port without a scheme, for example localhost:5000,registry.internal:80");
}

/** As curl and others have it, the variable in lower case comes first. */
function variable(name: string, env: Terminal["env"]): string | undefined {
  return env[name.toLowerCase()] || env[name] || undefined;
}

function proxySetting(
  scheme: "http" | "https",
  name: string,
  env: Terminal["env"],
): Partial<Record<"http" | "https", string>> {
  const text = variable(name, env);
  if (text === undefined) return {};
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return { [scheme]: url.href };
  throw new HostError("usage-invalid", `${name} is not the URL of a proxy: write http://host:port`);
}
