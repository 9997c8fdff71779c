/**
 * What may stand in a MongoDB URL. Everything in it that can never work is refused at the start, by a message that
 * says which part it is and what to write instead: names that MongoDB does not take, options that the driver does not
 * know or whose module is not there, files that cannot be read.
 *
 * No message holds a value of the URL: what is taken for a host or an option may be part of a password that was not
 * encoded.
 *
 * @module
 */

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { HostError } from "../../errors/host-error.ts";

/** Where the data goes if neither the option nor the URL says. */
const DEFAULT_DATABASE = "network-host";

/** Bytes of a database's name that MongoDB takes. */
const MAX_DATABASE_BYTES = 63;

/** The parts of a URL that were looked at. */
export interface MongoUrl {
  readonly text: string;
  readonly database: string;
  /** Its options, their names in lower case. */
  readonly options: ReadonlyMap<string, string>;
  /** What no message may hold. */
  readonly secrets: readonly string[];
}

/** Options that a URL may have, https://www.mongodb.com/docs/manual/reference/connection-string-options/. */
const OPTION_NAMES = [
  ...["appName", "authMechanism", "authMechanismProperties", "authSource", "autoSelectFamily", "compressors"],
  ...["autoSelectFamilyAttemptTimeout", "connectTimeoutMS", "directConnection", "enableOverloadRetargeting", "family"],
  ...[
    "heartbeatFrequencyMS",
    "j",
    "journal",
    "loadBalanced",
    "localThresholdMS",
    "maxAdaptiveRetries",
    "maxConnecting",
  ],
  ...["maxIdleTimeMS", "maxPoolSize", "maxStalenessSeconds", "minHeartbeatFrequencyMS", "minPoolSize", "noDelay"],
  ...["proxyHost", "proxyPassword", "proxyPort", "proxyUsername", "readConcernLevel", "readPreference", "replicaSet"],
  ...["readPreferenceTags", "retryReads", "retryWrites", "serverMonitoringMode", "serverSelectionTimeoutMS"],
  ...["servername", "socketTimeoutMS", "srvAllowedHostsSuffix", "srvMaxHosts", "srvServiceName", "ssl", "timeoutMS"],
  ...["tls", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames", "tlsCAFile", "tlsCertificateKeyFile"],
  ...[
    "tlsCertificateKeyFilePassword",
    "tlsCRLFile",
    "tlsInsecure",
    "w",
    "waitQueueTimeoutMS",
    "wtimeout",
    "wtimeoutMS",
  ],
  "zlibCompressionLevel",
];

const OPTION_BY_NAME = new Map(OPTION_NAMES.map((name) => [name.toLowerCase(), name]));

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
  { option: "authMechanism", value: /^GSSAPI$/i, module: "kerberos", advice: "use another mechanism than GSSAPI" },
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
  { option: "proxyHost", value: /./s, module: "socks", advice: "leave the proxy out" },
];

/**
 * Takes a URL apart.
 *
 * @param source what the message calls it: the flag or the variable that it came from
 * @param database goes before the URL's
 * @throws HostError `usage-invalid` for what can never work
 */
export async function readMongoUrl(text: string, source: string, database: string | undefined): Promise<MongoUrl> {
  const { authority, path, query } = splitUrl(text, source);
  const options = parseOptions(query, source);
  const named = path === "" ? undefined : decode(path, source);
  requireModules(options, source);
  await requireFiles(options, source);
  return {
    text,
    database: requireDatabase(database ?? named ?? DEFAULT_DATABASE, source),
    options,
    secrets: [
      ...passwordOf(authority, source),
      ...SECRET_OPTIONS.map((name) => options.get(name.toLowerCase()) ?? ""),
    ].filter((secret) => secret !== ""),
  };
}

/** An error about a URL: what is wrong, without a value, and what to do about it. */
export function urlInvalid(source: string, reason: string, advice: string = SHAPE_ADVICE): HostError {
  return new HostError("usage-invalid", `${source} cannot be used: ${reason}; ${advice}`);
}

const SHAPE_ADVICE =
  "write mongodb://[user:password@]host[:port]/[database], with special characters of user and password percent-encoded";

/** The URL without each of its options in turn, to find out which one makes a parser refuse it. */
export function* withoutEachOption({ text }: MongoUrl): Iterable<{ readonly option: string; readonly text: string }> {
  const at = text.indexOf("?");
  if (at < 0) return;
  const pairs = text.slice(at + 1).split("&");
  for (const [index, pair] of pairs.entries()) {
    const option = OPTION_BY_NAME.get(nameOf(pair));
    const rest = pairs.toSpliced(index, 1).join("&");
    if (option !== undefined) yield { option, text: rest === "" ? text.slice(0, at) : `${text.slice(0, at)}?${rest}` };
  }
}

interface UrlParts {
  readonly authority: string;
  readonly path: string;
  readonly query: string;
}

const URL_SHAPE = /^mongodb(?:\+srv)?:\/\/(?<authority>[^/?]+)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/s;

function splitUrl(text: string, source: string): UrlParts {
  const groups = URL_SHAPE.exec(text)?.groups;
  if (groups === undefined) throw urlInvalid(source, "it does not begin with mongodb:// or mongodb+srv:// and a host");
  const { authority = "", path = "", query = "" } = groups;
  // A password with a raw '@', '/' or '?' would be cut in two, and its end taken for something else and reported.
  const isCut =
    authority.split("@").length > 2 || path.includes("@") || (!authority.includes("@") && query.includes("@"));
  if (isCut) throw urlInvalid(source, "its user name or password holds a character that must be percent-encoded");
  return { authority, path, query };
}

/** Both as it stands in the URL and decoded. */
function passwordOf(authority: string, source: string): readonly string[] {
  const at = authority.lastIndexOf("@");
  const [, password = ""] = at < 0 ? [] : authority.slice(0, at).split(/:(.*)/s);
  return [password, decode(password, source)];
}

function decode(text: string, source: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlInvalid(source, "it holds a '%' that does not begin a percent-encoded character");
  }
}

function parseOptions(query: string, source: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  let holdsSecret = false;
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const name = nameOf(pair);
    const known = OPTION_BY_NAME.get(name);
    // What follows a secret may be the rest of one that was not encoded.
    if (known === undefined) throw unknownOption(pair.split("=", 1)[0] ?? "", holdsSecret, source);
    holdsSecret ||= SECRET_OPTIONS.includes(known);
    options.set(name, decode(pair.slice(pair.indexOf("=") + 1).replaceAll("+", " "), source));
  }
  return options;
}

function nameOf(pair: string): string {
  return (pair.split("=", 1)[0] ?? "").toLowerCase();
}

function unknownOption(name: string, mayBeSecret: boolean, source: string): HostError {
  const which = /^[A-Za-z]{1,64}$/.test(name) && !mayBeSecret ? `the option ${name}` : "an option";
  return urlInvalid(
    source,
    `${which} is not one that a MongoDB URL may have`,
    "leave it out, or write it as https://www.mongodb.com/docs/manual/reference/connection-string-options/ does",
  );
}

function requireModules(options: ReadonlyMap<string, string>, source: string): void {
  for (const { option, value, module, advice } of MODULE_NEEDS) {
    if (!value.test(options.get(option.toLowerCase()) ?? "") || isInstalled(module)) continue;
    throw urlInvalid(source, `the option ${option} needs the module ${module}, which is not installed`, advice);
  }
}

function isInstalled(module: string): boolean {
  try {
    createRequire(import.meta.url).resolve(module);
    return true;
  } catch {
    return false;
  }
}

async function requireFiles(options: ReadonlyMap<string, string>, source: string): Promise<void> {
  for (const option of FILE_OPTIONS) {
    const path = options.get(option.toLowerCase());
    if (path === undefined) continue;
    const flaw = await flawOfFile(path);
    if (flaw !== undefined)
      throw urlInvalid(
        source,
        `the file that the option ${option} names ${flaw}`,
        "name a file that this user may read",
      );
  }
}

async function flawOfFile(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isFile() ? undefined : "is no file";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return `cannot be read${code}`;
  }
}

/** As a server on Unix has it; MongoDB keeps its own three apart from names that differ in case alone. */
function requireDatabase(name: string, source: string): string {
  const flaw = flawOfDatabase(name);
  if (flaw === undefined) return name;
  throw urlInvalid(
    source,
    `its database's name ${flaw}`,
    "name another database behind the host: mongodb://host/my-database",
  );
}

const REFUSED_CHARACTERS = /[/\\. "$\0]/;
const OWN_DATABASES = ["admin", "config", "local"];

function flawOfDatabase(name: string): string | undefined {
  if (REFUSED_CHARACTERS.test(name)) return 'holds one of the characters / \\ . " $, a space or NUL';
  if (Buffer.byteLength(name) > MAX_DATABASE_BYTES) return `has more than ${MAX_DATABASE_BYTES} bytes`;
  const own = OWN_DATABASES.find((database) => database === name.toLowerCase());
  if (own === "local") return "is local, which MongoDB does not replicate";
  return own === undefined || own === name ? undefined : `differs from MongoDB's own ${own} in case alone`;
}
