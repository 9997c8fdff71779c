/**
 * The settings of the NATS connection, the same for every command that connects.
 *
 * @module
 */

import { resolve } from "node:path";
import { HostError } from "../errors/host-error.ts";
import type { NatsCredentials, NatsOptions } from "../nats/connection.ts";
import { redactUrl } from "../telemetry/redaction.ts";
import { parseDurationMs } from "./duration.ts";
import { badSetting, type Flags, readSetting, type Setting, type SettingValue } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_SERVER = "nats://127.0.0.1:4222";

const NATS_URL = {
  flags: "--nats <urls>",
  env: "NATS_URL",
  description: "NATS servers, separated by commas; nats:// or tls://, with user:password@ or token@ if need be",
  fallback: DEFAULT_SERVER,
} as const satisfies Setting;

const NATS_CREDS = {
  flags: "--nats-creds <file>",
  env: "NATS_CREDS",
  description: "NATS credentials file (a user's JWT and seed)",
} as const satisfies Setting;

/** For a connection that lasts. */
export const NATS_PING = {
  flags: "--nats-ping <duration>",
  env: "NATS_PING",
  description: "how often the NATS server is pinged; one that does not answer is given up after three times that",
  fallback: "5s",
} as const satisfies Setting;

/** Settings that a command adds to its options. */
export const NATS_SETTINGS: readonly Setting[] = [NATS_URL, NATS_CREDS];

/** A token's variable; it has no flag, because a process list shows flags. */
export const NATS_TOKEN_ENV = "NATS_TOKEN";

/** Reads the NATS settings. Throws `usage-invalid`. */
export function parseNatsOptions(flags: Flags, env: Terminal["env"]): NatsOptions {
  const urls = readSetting(NATS_URL, flags, env);
  const parsed = urls === undefined ? [parseServer(DEFAULT_SERVER)] : parseServers(urls);
  const candidates = [
    ...distinctCredentials(parsed.map(({ credentials }) => credentials)),
    ...fileCredentials(readSetting(NATS_CREDS, flags, env)),
    ...tokenCredentials(env[NATS_TOKEN_ENV]),
  ];
  if (candidates.length > 1) {
    throw new HostError(
      "usage-invalid",
      `more than one kind of NATS credentials is given: use one of a URL with the same user and password for every server, ${NATS_CREDS.env} and ${NATS_TOKEN_ENV}`,
    );
  }
  return { servers: parsed.map(({ server }) => server), credentials: candidates[0] ?? { kind: "none" } };
}

/** More often would be load, more seldom no help: milliseconds. */
const MIN_PING_MS = 250;
const MAX_PING_MS = 120_000;

/** Milliseconds between pings. Throws `usage-invalid`. */
export function parseNatsPing(value: SettingValue | undefined): number {
  if (value === undefined) return parseDurationMs(NATS_PING.env, NATS_PING.fallback);
  const pingMs = parseDurationMs(value.source, value.text);
  if (pingMs >= MIN_PING_MS && pingMs <= MAX_PING_MS) return pingMs;
  throw badSetting(value, value.text, "write a duration of 250ms to 2m, for example 5s");
}

interface ParsedServer {
  readonly server: string;
  readonly credentials: NatsCredentials;
}

function parseServers(urls: SettingValue): ParsedServer[] {
  return urls.text.split(",").map((part) => {
    try {
      return parseServer(part.trim());
    } catch {
      throw badSetting(
        urls,
        redactUrl(part.trim()),
        "write nats://host:port or tls://host:port, several with commas between",
      );
    }
  });
}

/** Throws a TypeError for what is no address of a NATS server. */
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

function fileCredentials(file: SettingValue | undefined): NatsCredentials[] {
  return file === undefined ? [] : [{ kind: "file", path: resolve(file.text) }];
}

function tokenCredentials(token: string | undefined): NatsCredentials[] {
  return token === undefined || token === "" ? [] : [{ kind: "token", token }];
}
