/**
 * The credentials of registries, where Docker, oras and wkg keep them: in Docker's configuration and the helpers that it names.
 * The file is read again each time, so that a rotated secret is found. Credentials are in no message.
 *
 * @see https://docs.docker.com/reference/cli/docker/login/#credential-stores
 * @module
 */

import { open } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { HostError } from "../errors/host-error.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import type { FindCredentials, RegistryCredentials } from "./credentials.ts";

/** Docker's configuration may hold many registries; more than this is not one. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** The key under which Docker keeps the credentials of Docker Hub. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

const configSchema = z.object({
  auths: z.record(z.string(), entrySchema).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});

export interface DockerCredentialsOptions {
  /** Absolute path of the folder of `config.json`. */
  readonly folder: string;
  /** For the helpers: where they are found, and what they need. */
  readonly env: NodeJS.ProcessEnv;
}

/** Credentials from Docker's configuration: the helper of the registry, else the helper of all, else the file itself. */
export function dockerCredentials({ folder, env }: DockerCredentialsOptions): FindCredentials {
  const path = join(folder, "config.json");
  return async (host) => {
    const { auths = {}, credHelpers = {}, credsStore = "" } = await readConfig(path);
    const keys = keysOf(host);
    const helper = keys.map((key) => credHelpers[key]).find((name) => name !== undefined) ?? credsStore;
    if (helper !== "") {
      const found = await askCredentialHelper(helper, keys[0] ?? host, env);
      if (found !== undefined) return found;
    }
    const entry = keys.map((key) => auths[key]).find((found) => found !== undefined);
    return entry === undefined ? undefined : readEntry(entry, `${path}: auths of ${host}`);
  };
}

/** The names that one registry goes by in the file, the one that Docker writes first. */
function keysOf(host: string): readonly string[] {
  const names = [host, `https://${host}`, `https://${host}/`, `http://${host}`, `https://${host}/v2/`];
  return DOCKER_HUB_HOSTS.has(host) ? [DOCKER_HUB_KEY, "docker.io", ...names] : names;
}

async function readConfig(path: string): Promise<z.output<typeof configSchema>> {
  const text = await readBounded(path);
  if (text === undefined) return {};
  try {
    return configSchema.parse(JSON.parse(text));
  } catch {
    // The error of a parser quotes what it read.
    throw new HostError("registry-denied", `${path} cannot be used: it is not Docker's configuration`);
  }
}

async function readBounded(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size > MAX_CONFIG_BYTES) throw new HostError("registry-denied", `${path} cannot be used: it is too large`);
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof HostError) throw error;
    const { code } = error as { code?: unknown };
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new HostError("registry-denied", `${path} cannot be read: ${String(code)}`, { cause: error });
  }
}

function readEntry(entry: z.output<typeof entrySchema>, where: string): RegistryCredentials | undefined {
  const { auth = "", username = "", password = "", identitytoken = "", registrytoken = "" } = entry;
  if (registrytoken !== "") return { kind: "registry-token", token: registrytoken };
  if (identitytoken !== "") return { kind: "identity-token", token: identitytoken };
  if (auth === "") return username === "" ? undefined : { kind: "password", user: username, password };
  const [, user, secret] =
    /^([^:]+):(.*)$/s.exec(Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "")) ?? [];
  if (user === undefined || secret === undefined) throw new HostError("registry-denied", `${where} cannot be used`);
  return { kind: "password", user, password: secret };
}
