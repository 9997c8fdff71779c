/**
 * The settings of the NATS connection, the same for every command that connects.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import type { NatsCredentials, NatsOptions, NatsSecret } from "../nats/connection.ts";
import { parseSeed } from "../nats/credentials-text.ts";
import type { NatsTls } from "../nats/tls.ts";
import { parseDurationMs } from "./duration.ts";
import {
  badSetting,
  fileVariable,
  type Flags,
  readPath,
  readSecret,
  readSetting,
  type Setting,
  type SettingValue,
} from "./settings.ts";
import { readUrlSetting } from "./url-setting.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_SERVER = "nats://127.0.0.1:4222";

const NATS_URL = {
  flags: "--nats <urls>",
  env: "NATS_URL",
  description: "NATS servers, separated by commas; nats:// or tls://, with user:password@ or token@ if required",
  fallback: DEFAULT_SERVER,
} as const satisfies Setting;

const NATS_CREDS = {
  flags: "--nats-creds <file>",
  env: "NATS_CREDS",
  description: "NATS credentials file (a user's JWT and seed)",
} as const satisfies Setting;

const NATS_USER = {
  flags: "--nats-user <name>",
  env: "NATS_USER",
  description: "NATS user; the password is in NATS_PASSWORD or in the file that NATS_PASSWORD_FILE names",
} as const satisfies Setting;

const NATS_CA = {
  flags: "--nats-ca <file>",
  env: "NATS_CA",
  description: "PEM file of the certificate authorities to trust for NATS; requires TLS",
  fallback: "Node's own",
} as const satisfies Setting;

const NATS_CERT = {
  flags: "--nats-cert <file>",
  env: "NATS_CERT",
  description: "PEM file of the client certificate for NATS; requires TLS",
} as const satisfies Setting;

const NATS_KEY = {
  flags: "--nats-key <file>",
  env: "NATS_KEY",
  description: "PEM file of the certificate's key, without a passphrase",
} as const satisfies Setting;

const NATS_TLS = {
  flags: "--nats-tls <when>",
  env: "NATS_TLS",
  description:
    "first: TLS before the NATS server's first message (handshake_first); auto: after it, if a URL or setting requires TLS",
  fallback: "auto",
} as const satisfies Setting;

/** For long-lived connections. */
export const NATS_PING = {
  flags: "--nats-ping <duration>",
  env: "NATS_PING",
  description: "how often to ping the NATS server; a connection is given up after three unanswered pings",
  fallback: "5s",
} as const satisfies Setting;

/** Settings that a command adds to its options. */
export const NATS_SETTINGS: readonly Setting[] = [
  NATS_URL,
  NATS_CREDS,
  NATS_USER,
  NATS_CA,
  NATS_CERT,
  NATS_KEY,
  NATS_TLS,
];

/** Variables of secrets, each with a matching `…_FILE`; they have no flags, because a process list shows flags. */
const SECRET = { password: "NATS_PASSWORD", token: "NATS_TOKEN", nkeySeed: "NATS_NKEY_SEED" } as const;

/** Reads the NATS settings. Throws `usage-invalid`. */
export function parseNatsOptions(flags: Flags, env: Terminal["env"]): NatsOptions {
  const urls = readUrlSetting(NATS_URL, flags, env);
  const parsed = urls === undefined ? [parseServer(DEFAULT_SERVER)] : parseServers(urls);
  const candidates = [
    ...distinctCredentials(parsed.map(({ credentials }) => credentials)),
    ...fileCredentials(readPath(NATS_CREDS, flags, env)),
    ...userCredentials(readSetting(NATS_USER, flags, env), env),
    ...secretCredentials(env),
  ];
  if (candidates.length > 1) {
    throw new HostError(
      "usage-invalid",
      `more than one kind of NATS credentials is given: use one of a URL with the same user and password for every server, ${NATS_CREDS.env}, ${NATS_USER.env}, ${SECRET.token} and ${SECRET.nkeySeed}`,
    );
  }
  const tls = parseTls(flags, env);
  return {
    servers: parsed.map(({ server }) => server),
    credentials: candidates[0] ?? { kind: "none" },
    ...(tls !== undefined && { tls }),
  };
}

/** `undefined` where no setting asks for TLS; an address may. */
function parseTls(flags: Flags, env: Terminal["env"]): NatsTls | undefined {
  const [caFile, certFile, keyFile] = [NATS_CA, NATS_CERT, NATS_KEY].map((setting) => readPath(setting, flags, env));
  const handshake = parseHandshake(readSetting(NATS_TLS, flags, env));
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new HostError(
      "usage-invalid",
      `${NATS_CERT.env} and ${NATS_KEY.env} belong together: one of them is missing`,
    );
  }
  const client = certFile !== undefined && keyFile !== undefined && { client: { certFile, keyFile } };
  if (caFile === undefined && client === false && handshake === "after-info") return undefined;
  return { handshake, ...(caFile !== undefined && { caFile }), ...client };
}

function parseHandshake(value: SettingValue | undefined): NatsTls["handshake"] {
  if (value === undefined || value.text === "auto") return "after-info";
  if (value.text === "first") return "first";
  throw badSetting(value, "write auto or first");
}

/** Milliseconds. More often would be load; less often would not help. */
const MIN_PING_MS = 250;
const MAX_PING_MS = 120_000;

/** Milliseconds between pings. Throws `usage-invalid`. */
export function parseNatsPing(value: SettingValue | undefined): number {
  if (value === undefined) return parseDurationMs(NATS_PING.env, NATS_PING.fallback);
  const pingMs = parseDurationMs(value.source, value.text);
  if (pingMs >= MIN_PING_MS && pingMs <= MAX_PING_MS) return pingMs;
  throw badSetting(value, "write a duration of 250ms to 2m, for example 5s");
}

interface ParsedServer {
  readonly server: string;
  readonly credentials: NatsCredentials;
}

function parseServers(urls: SettingValue): ParsedServer[] {
  try {
    return urls.text.split(",").map((part, index) => {
      // A password with a raw comma, cut in two, looks like an address and a token.
      if (index > 0 && part.includes("@") && !part.includes("://")) throw new TypeError("credentials without a scheme");
      return parseServer(part.trim());
    });
  } catch {
    throw badSetting(
      urls,
      "write nats://host:port or tls://host:port, several with commas between; in a user, password or token write characters other than letters, digits, '-', '_' and '.' as %XX",
    );
  }
}

/** Throws a TypeError for what is not an address of a NATS server. */
function parseServer(text: string): ParsedServer {
  const url = new URL(text.includes("://") ? text : `nats://${text}`);
  const isAddress = url.hostname !== "" && url.pathname.length <= 1 && url.search === "" && url.hash === "";
  if ((url.protocol !== "nats:" && url.protocol !== "tls:") || !isAddress) throw new TypeError("not a NATS address");
  return {
    server: `${url.protocol}//${url.hostname}:${url.port === "" ? "4222" : url.port}`,
    credentials: urlCredentials(decodeURIComponent(url.username), decodeURIComponent(url.password)),
  };
}

/** `user:password@` or, as NATS has it, `token@`. */
function urlCredentials(user: string, password: string): NatsCredentials {
  if (user === "") return { kind: "none" };
  return password === "" ? { kind: "token", token: user } : { kind: "password", user, password };
}

function distinctCredentials(all: readonly NatsCredentials[]): NatsCredentials[] {
  const given = all.filter(({ kind }) => kind !== "none");
  return [...new Map(given.map((credentials) => [JSON.stringify(credentials), credentials])).values()];
}

function fileCredentials(path: string | undefined): NatsCredentials[] {
  return path === undefined ? [] : [{ kind: "file", path }];
}

/** A user and its password; neither is of use alone. */
function userCredentials(user: SettingValue | undefined, env: Terminal["env"]): NatsCredentials[] {
  const password = readSecret(SECRET.password, env);
  if (user !== undefined && password !== undefined) return [{ kind: "password", user: user.text, password }];
  if (user !== undefined) {
    throw new HostError(
      "usage-invalid",
      `${user.source} has no password: set ${SECRET.password} or ${fileVariable(SECRET.password)}`,
    );
  }
  if (password === undefined) return [];
  throw new HostError("usage-invalid", `${SECRET.password} has no user: set ${NATS_USER.env}`);
}

function secretCredentials(env: Terminal["env"]): NatsCredentials[] {
  const token = readSecret(SECRET.token, env);
  const seed = readSecret(SECRET.nkeySeed, env);
  return [
    ...(token === undefined ? [] : [{ kind: "token", token } as const]),
    ...(seed === undefined ? [] : [{ kind: "nkey", seed: requireSeed(seed) } as const]),
  ];
}

/** A seed in a file is checked when the file is read. */
function requireSeed(seed: NatsSecret): NatsSecret {
  if (typeof seed !== "string") return seed;
  try {
    return parseSeed(seed);
  } catch (error) {
    throw new HostError("usage-invalid", `${SECRET.nkeySeed} holds no NKEY seed of a user`, { cause: error });
  }
}
