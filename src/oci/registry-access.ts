/**
 * How the operator lets this program reach registries, and the client that does.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { HostError } from "../errors/host-error.ts";
import { OciClient } from "./client.ts";
import type { ProxySettings } from "./dispatchers.ts";
import { dockerCredentials } from "./docker-config.ts";

/** What flags and variables say about registries. */
export interface RegistryAccess {
  /** Hosts (`host` or `host:port`) to speak plain HTTP with. */
  readonly plainHttpHosts: readonly string[];
  /** Absolute path of certificates to trust besides Node's own, in PEM. */
  readonly caFile?: string;
  readonly proxies: ProxySettings;
  /** Absolute path of the folder of Docker's `config.json`. */
  readonly dockerFolder: string;
  /** For credential helpers: where they are found, and what they need. */
  readonly env: NodeJS.ProcessEnv;
}

/** Opens a client; it connects when it is used. Throws `usage-invalid` where the certificates cannot be used. */
export async function openOciClient(access: RegistryAccess, userAgent: string): Promise<OciClient> {
  const { plainHttpHosts, caFile, proxies, dockerFolder, env } = access;
  const ca = caFile === undefined ? undefined : await readCertificates(caFile);
  const credentials = dockerCredentials({ folder: dockerFolder, env });
  return new OciClient({ plainHttpHosts, proxies, userAgent, credentials, ...(ca !== undefined && { ca }) });
}

async function readCertificates(path: string): Promise<string> {
  try {
    const ca = await readFile(path, "utf8");
    // It ignores what is not a certificate, so that an empty file would go unnoticed.
    if (!ca.includes("-----BEGIN CERTIFICATE-----")) throw new Error("it holds no certificate in PEM");
    createSecureContext({ ca });
    return ca;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HostError("usage-invalid", `the certificates in ${path} cannot be used: ${reason}`, { cause: error });
  }
}
