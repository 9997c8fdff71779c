/**
 * Docker's credential helpers: programs `docker-credential-<name>` that print the credentials of a registry.
 *
 * A helper is started without a shell, by a name of the configuration that holds no path; what it prints and how long it takes
 * is bounded. What it prints is a secret: it is in no message.
 *
 * @see https://github.com/docker/docker-credential-helpers#development
 * @module
 */

import { execFile } from "node:child_process";
import { z } from "zod";
import { withoutHostSecrets } from "../contract/host-secrets.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import type { RegistryCredentials } from "./credentials.ts";

const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What a helper prints where it has no credentials; helpers of all systems print it so. */
const NOT_FOUND = /credentials not found/i;

/** A helper that gives a token instead of a password says so by this user name. */
const IDENTITY_TOKEN_USER = "<token>";

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Asks a helper. `undefined` where it has none for the server. Throws `registry-denied` where it fails. */
export async function askCredentialHelper(
  name: string,
  server: string,
  env: NodeJS.ProcessEnv,
): Promise<RegistryCredentials | undefined> {
  if (!HELPER_NAME.test(name))
    throw new HostError(
      "registry-denied",
      `Docker's configuration names ${JSON.stringify(name)}, which is not a helper's name`,
    );
  const { failure, stdout } = await run(`docker-credential-${name}`, server, env);
  if (failure !== undefined) {
    if (NOT_FOUND.test(stdout)) return undefined;
    throw new HostError("registry-denied", `docker-credential-${name} gave no credentials for ${server}: ${failure}`);
  }
  const { success, data } = answerSchema.safeParse(parseJson(stdout));
  if (!success)
    throw new HostError("registry-denied", `docker-credential-${name} did not print credentials for ${server}`);
  if (data.Username === "" && data.Secret === "") return undefined;
  return data.Username === IDENTITY_TOKEN_USER
    ? { kind: "identity-token", token: data.Secret }
    : { kind: "password", user: data.Username, password: data.Secret };
}

interface HelperEnd {
  /** Why it failed, without what it printed. */
  readonly failure: string | undefined;
  readonly stdout: string;
}

function run(program: string, server: string, env: NodeJS.ProcessEnv): Promise<HelperEnd> {
  const options = {
    env: withoutHostSecrets(env),
    timeout: FIXED_LIMITS.credentialHelperMs,
    killSignal: "SIGKILL",
    maxBuffer: FIXED_LIMITS.registryTokenBytes,
    encoding: "utf8",
    windowsHide: true,
  } as const;
  return new Promise((resolve) => {
    const child = execFile(program, ["get"], options, (error, stdout) => {
      resolve({ failure: error === null ? undefined : describeEnd(error), stdout });
    });
    // A helper that ends without reading is told by its exit code.
    child.stdin?.on("error", () => undefined).end(server);
  });
}

function describeEnd(error: Error & { code?: unknown; killed?: boolean; signal?: unknown }): string {
  if (error.code === "ENOENT") return "it is not on PATH";
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "it printed too much";
  if (error.killed === true) return `it took longer than ${FIXED_LIMITS.credentialHelperMs} ms`;
  return typeof error.code === "number" ? `it ended with exit code ${error.code}` : "it could not be run";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
