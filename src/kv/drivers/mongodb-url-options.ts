/**
 * The options of a MongoDB URL: those that there are, and what they need that may not be there. One that can never work
 * would otherwise be a store that never answers.
 *
 * @module
 */

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import type { HostError } from "../../errors/host-error.ts";
import { urlInvalid } from "./mongodb-url-error.ts";

/** Options by their names in lower case. */
export type MongoUrlOptions = ReadonlyMap<string, string>;

/** https://www.mongodb.com/docs/manual/reference/connection-string-options/, and those of the driver for sockets. */
const OPTION_NAMES = `
  appName authMechanism authMechanismProperties authSource autoSelectFamily autoSelectFamilyAttemptTimeout compressors
  connectTimeoutMS directConnection enableOverloadRetargeting family heartbeatFrequencyMS j journal loadBalanced
  localThresholdMS maxAdaptiveRetries maxConnecting maxIdleTimeMS maxPoolSize maxStalenessSeconds
  minHeartbeatFrequencyMS minPoolSize noDelay proxyHost proxyPassword proxyPort proxyUsername readConcernLevel
  readPreference readPreferenceTags replicaSet retryReads retryWrites servername serverMonitoringMode
  serverSelectionTimeoutMS socketTimeoutMS srvAllowedHostsSuffix srvMaxHosts srvServiceName ssl timeoutMS tls
  tlsAllowInvalidCertificates tlsAllowInvalidHostnames tlsCAFile tlsCertificateKeyFile tlsCertificateKeyFilePassword
  tlsCRLFile tlsInsecure w waitQueueTimeoutMS wtimeout wtimeoutMS zlibCompressionLevel`;

const OPTION_BY_NAME: ReadonlyMap<string, string> = new Map(
  OPTION_NAMES.trim()
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
);

/** Options that name a file. */
const FILE_OPTIONS = ["tlsCAFile", "tlsCRLFile", "tlsCertificateKeyFile"];

/** Options whose values are secret, or hold secrets. */
const SECRET_OPTIONS = ["tlsCertificateKeyFilePassword", "proxyPassword", "authMechanismProperties"];

/** What the driver can do only with a module that it does not bring. */
interface ModuleNeed {
  readonly option: string;
  readonly value: RegExp;
  readonly module: string;
  readonly advice: string;
}

const MODULE_NEEDS: readonly ModuleNeed[] = [
  {
    option: "compressors",
    value: /(?:^|,)snappy(?:,|$)/i,
    module: "snappy",
    advice: "use zstd or zlib instead of snappy",
  },
  {
    option: "authMechanism",
    value: /^GSSAPI$/i,
    module: "kerberos",
    advice: "use another mechanism than GSSAPI",
  },
  {
    option: "authMechanism",
    value: /^MONGODB-AWS$/i,
    module: "@aws-sdk/credential-providers",
    advice: "use another mechanism than MONGODB-AWS",
  },
  {
    option: "authMechanismProperties",
    value: /ENVIRONMENT:gcp/i,
    module: "gcp-metadata",
    advice: "use another environment",
  },
  {
    option: "proxyHost",
    value: /./s,
    module: "socks",
    advice: "leave the proxy out",
  },
];

/**
 * Takes the options behind the `?` apart.
 *
 * @throws HostError `usage-invalid` for one that there is not
 */
export function parseOptions(query: string, source: string, decode: (text: string) => string): MongoUrlOptions {
  const options = new Map<string, string>();
  let holdsSecret = false;
  for (const pair of query.split("&").filter((text) => text !== "")) {
    const known = nameOfOption(pair);
    // What follows a secret may be the rest of one that was not encoded.
    if (known === undefined) throw unknownOption(pair.split("=", 1)[0] ?? "", holdsSecret, source);
    holdsSecret ||= SECRET_OPTIONS.includes(known);
    options.set(known.toLowerCase(), decode(pair.slice(pair.indexOf("=") + 1).replaceAll("+", " ")));
  }
  return options;
}

/** The name of the option in `name=value`, as it is usually spelt; `undefined` for none that there is. */
export function nameOfOption(pair: string): string | undefined {
  return OPTION_BY_NAME.get((pair.split("=", 1)[0] ?? "").toLowerCase());
}

/** Values that no message may hold. */
export function secretsOf(options: MongoUrlOptions): readonly string[] {
  return SECRET_OPTIONS.map((name) => options.get(name.toLowerCase()) ?? "");
}

/** @throws HostError `usage-invalid` for an option whose module or file is not there */
export async function requireWorkable(options: MongoUrlOptions, source: string): Promise<void> {
  for (const { option, value, module, advice } of MODULE_NEEDS) {
    if (!value.test(options.get(option.toLowerCase()) ?? "") || isInstalled(module)) continue;
    throw urlInvalid(source, `the option ${option} needs the module ${module}, which is not installed`, advice);
  }
  for (const option of FILE_OPTIONS) {
    const path = options.get(option.toLowerCase());
    const flaw = path === undefined ? undefined : await flawOfFile(path);
    if (flaw === undefined) continue;
    throw urlInvalid(source, `the file that the option ${option} names ${flaw}`, "name a file that this user may read");
  }
}

function unknownOption(name: string, mayBeSecret: boolean, source: string): HostError {
  const which = /^[A-Za-z]{1,64}$/.test(name) && !mayBeSecret ? `the option ${name}` : "an option";
  return urlInvalid(
    source,
    `${which} is not one that a MongoDB URL may have`,
    "leave it out, or write it as https://www.mongodb.com/docs/manual/reference/connection-string-options/ does",
  );
}

function isInstalled(module: string): boolean {
  try {
    createRequire(import.meta.url).resolve(module);
    return true;
  } catch {
    return false;
  }
}

async function flawOfFile(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isFile() ? undefined : "is not a file";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return `cannot be read${code}`;
  }
}
