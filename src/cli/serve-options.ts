/**
 * Turns the flags and variables of `serve` into a replica's options. Everything is checked here, before
 * anything is opened; an invalid value never falls back to a default.
 *
 * @module
 */

import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { Option } from "commander";
import { MAX_PORT } from "../policy/allowed-host.ts";
import type { ControlFolder, HealthAddress, LogOptions, ServeOptions, StoreOptions } from "../app-options.ts";
import type { NamedPlugin } from "../config/named-plugins.ts";
import { ENGINE_CHOICES, type EngineChoice } from "../contract/artifact.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { parseSizeText } from "../contract/size-text.ts";
import { defaultSocketFolder } from "../control/socket-folder.ts";
import { HostError } from "../errors/host-error.ts";
import { baseFolder, defaultCacheFolder } from "../contract/user-folders.ts";
import { LOG_THRESHOLDS } from "../telemetry/log-threshold.ts";
import { NATS_PING, NATS_SETTINGS, parseNatsOptions, parseNatsPing } from "./nats-settings.ts";
import { parsePluginName } from "./plugin-name.ts";
import { collect } from "./request-arguments.ts";
import {
  badSetting,
  type Flags,
  parsePath,
  readPath,
  readSetting,
  type Setting,
  type SettingValue,
} from "./settings.ts";
import { parseDurationMs } from "./duration.ts";
import { parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { readUrlSetting } from "./url-setting.ts";
import type { OutputStream, Terminal } from "./terminal.ts";

const SETTING = {
  store: {
    flags: "--store <url>",
    env: "MONGODB_URL",
    description: "store values in MongoDB: mongodb:// or mongodb+srv://",
  },
  sqlite: {
    flags: "--sqlite <file>",
    env: "SQLITE_PATH",
    description: "store values in an SQLite file",
    fallback: "network-host/store.sqlite in $XDG_STATE_HOME or ~/.local/state",
  },
  consumer: {
    flags: "--consumer <file>",
    env: "CONSUMER_FILE",
    description: "the file of the consumer group to serve",
    fallback: "consumers/default.yaml",
  },
  policy: { flags: "--policy <dir>", env: "POLICY_DIR", description: "the folder of policy files", fallback: "policy" },
  replicaId: {
    flags: "--replica-id <id>",
    env: "REPLICA_ID",
    description: "this replica's name in logs and discovery",
    fallback: "<host name>-<process id>",
  },
  cache: {
    flags: "--cache <dir>",
    env: "CACHE_DIR",
    description: "the folder for compiled components",
    fallback: "network-host/artifacts in $XDG_CACHE_HOME or ~/.cache",
  },
  cacheBytes: {
    flags: "--cache-bytes <size>",
    env: "CACHE_BYTES",
    description: "the size of that folder: beyond it, the least recently used components are removed, but none in use",
    fallback: "4GiB",
  },
  registryCheck: {
    flags: "--registry-check <duration>",
    env: "REGISTRY_CHECK",
    description: "how often to look whether a tag in a registry stands for another component",
    fallback: "1m",
  },
  sandbox: {
    flags: "--sandbox <mode>",
    env: "SANDBOX",
    description:
      "auto: sandbox plugins' processes with everything that the system offers and permits; none: do not sandbox them",
    fallback: "auto",
  },
  runnerUser: {
    flags: "--runner-user <uid[:gid]>",
    env: "RUNNER_USER",
    description: "the user of plugins' processes if the host runs as root",
    fallback: "65534:65534",
  },
  engine: {
    flags: "--engine <engine>",
    env: "ENGINE",
    description: `the engine that runs plugins: ${ENGINE_CHOICES.join(", ")}`,
    fallback: "auto",
  },
  control: {
    flags: "--control <dir>",
    env: "CONTROL_DIR",
    description: "the private folder of control sockets, which reload and status ask replicas through; off for none",
    fallback: "/tmp/network-host-<user id>",
  },
  healthPort: {
    flags: "--health-port <[host:]port>",
    env: "HEALTH_PORT",
    description: "serve /livez, /readyz and /metrics on this port; the host defaults to 127.0.0.1",
    fallback: "off",
  },
  logLevel: {
    flags: "--log-level <level>",
    env: "LOG_LEVEL",
    description: `the lowest log level to write: ${LOG_THRESHOLDS.join(", ")}`,
    fallback: "info",
  },
  logFormat: {
    flags: "--log-format <format>",
    env: "LOG_FORMAT",
    description: "pretty or json",
    fallback: "pretty on a terminal, else json",
  },
} as const satisfies Record<string, Setting>;

/** Every setting of `serve`, in the order that its help shows. */
export const SERVE_SETTINGS: readonly Setting[] = [
  ...NATS_SETTINGS,
  NATS_PING,
  ...Object.values(SETTING),
  ...REGISTRY_SETTINGS,
];

/** Settings that other commands have too. */
export const STORE_SETTINGS: readonly Setting[] = [SETTING.store, SETTING.sqlite];
export const {
  consumer: CONSUMER_SETTING,
  policy: POLICY_SETTING,
  cache: CACHE_SETTING,
  cacheBytes: CACHE_BYTES_SETTING,
  engine: ENGINE_SETTING,
  control: CONTROL_SETTING,
} = SETTING;

/** How a plugin's process is run. */
export const RUNNER_SETTINGS: readonly Setting[] = [SETTING.cache, SETTING.engine, SETTING.sandbox, SETTING.runnerUser];

/** How the log is written. */
export const LOG_SETTINGS: readonly Setting[] = [SETTING.logLevel, SETTING.logFormat];

/** Reads the settings of `serve`. Throws `usage-invalid` naming the flag or variable and what to write. */
export function parseServeOptions(flags: Flags, { env, stdout }: Pick<Terminal, "env" | "stdout">): ServeOptions {
  const read = (setting: Setting): SettingValue | undefined => readSetting(setting, flags, env);
  const health = parseHealth(read(SETTING.healthPort));
  const control = parseControl(flags, env);
  return {
    nats: parseNatsOptions(flags, env),
    natsPingMs: parseNatsPing(read(NATS_PING)),
    store: parseStoreOptions(flags, env),
    ...parseReplicaFiles(flags, env),
    replicaId: parseReplicaId(read(SETTING.replicaId)),
    ...parseRunnerOptions(flags, env),
    cacheBytes: parseCacheBytes(flags, env),
    registries: parseRegistries(flags, env),
    ...(health !== undefined && { health }),
    ...(control !== undefined && { control }),
    log: parseLogOptions(flags, { env, stream: stdout }),
  };
}

/** How registries are reached, and how often tags are looked at. */
export function parseRegistries(flags: Flags, env: Terminal["env"]): ServeOptions["registries"] {
  return {
    access: parseRegistryAccess(flags, env),
    checkMs: parseRegistryCheck(readSetting(SETTING.registryCheck, flags, env)),
  };
}

/** How a plugin's process is run: {@link RUNNER_SETTINGS}. */
export function parseRunnerOptions(
  flags: Flags,
  env: Terminal["env"],
): Pick<ServeOptions, "cacheDir" | "engine" | "sandbox" | "runnerUser"> {
  return {
    cacheDir: parseCacheDir(flags, env),
    engine: parseEngine(flags, env),
    sandbox: parseSandbox(readSetting(SETTING.sandbox, flags, env)),
    runnerUser: parseRunnerUser(readSetting(SETTING.runnerUser, flags, env)),
  };
}

/** How the log is written to a stream: {@link LOG_SETTINGS}. `format` applies where none is set. */
export function parseLogOptions(
  flags: Flags,
  { env, stream, format }: Pick<Terminal, "env"> & { stream: OutputStream; format?: LogOptions["format"] },
): LogOptions {
  const level = readSetting(SETTING.logLevel, flags, env);
  const threshold = level === undefined ? "info" : LOG_THRESHOLDS.find((name) => name === level.text);
  if (threshold === undefined && level !== undefined) {
    throw badSetting(level, `write one of ${LOG_THRESHOLDS.join(", ")}`);
  }
  const isTerminal = stream.isTTY === true;
  const written = readSetting(SETTING.logFormat, flags, env);
  return {
    level: threshold ?? "info",
    format: written === undefined && format !== undefined ? format : parseLogFormat(written, isTerminal),
    colour: isTerminal && !env["NO_COLOR"],
  };
}

/** The option that names a plugin in place of a consumer file. */
export const PLUGIN_OPTION: Option = new Option(
  "--plugin <name=file>",
  "serve this component under this name, without a consumer file; may be repeated",
)
  .argParser(collect)
  .default([], "none");

/** Where plugins and policies are. Without a consumer file, the default policy folder need not exist. */
function parseReplicaFiles(flags: Flags, env: Terminal["env"]): Pick<ServeOptions, "consumer" | "policy"> {
  const named = (flags["plugin"] ?? []) as readonly string[];
  const folder = parsePolicyDir(flags, env);
  if (named.length === 0) {
    const path = parseConsumerFile(flags, env);
    return { consumer: { kind: "file", path }, policy: { folder, presence: "required" } };
  }
  if (readSetting(SETTING.consumer, flags, {}) !== undefined)
    throw new HostError("usage-invalid", "--consumer and --plugin are both given: leave one out");
  const isNamed = readSetting(SETTING.policy, flags, env) !== undefined;
  return {
    consumer: { kind: "plugins", plugins: parseNamedPlugins(named) },
    policy: { folder, presence: isNamed ? "required" : "optional" },
  };
}

function parseNamedPlugins(texts: readonly string[]): readonly NamedPlugin[] {
  const source = "--plugin";
  const plugins = texts.map((text) => {
    const at = text.indexOf("=");
    const [name, component] = [text.slice(0, at), text.slice(at + 1)];
    if (at < 1 || component === "") throw badSetting({ text, source }, "write name=file, for example echo=echo.wasm");
    return { name: parsePluginName(name), component: parsePath({ text: component, source }) };
  });
  const twice = plugins.find(({ name }, index) => plugins.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw badSetting({ text: twice.name, source }, "name each plugin once");
  return plugins;
}

/** Absolute path of the consumer file. */
export function parseConsumerFile(flags: Flags, env: Terminal["env"]): string {
  return readPath(SETTING.consumer, flags, env) ?? resolve(SETTING.consumer.fallback);
}

/** Absolute path of the folder of policy files. */
export function parsePolicyDir(flags: Flags, env: Terminal["env"]): string {
  return readPath(SETTING.policy, flags, env) ?? resolve(SETTING.policy.fallback);
}

/** The folder of control sockets; `undefined` where it is switched off. */
export function parseControl(flags: Flags, env: Terminal["env"]): ControlFolder | undefined {
  if (readSetting(SETTING.control, flags, env)?.text === "off") return undefined;
  const folder = readPath(SETTING.control, flags, env);
  return folder === undefined
    ? { folder: defaultSocketFolder(), chosen: "by-default" }
    : { folder, chosen: "by-operator" };
}

/** Absolute path of the artifact cache. */
export function parseCacheDir(flags: Flags, env: Terminal["env"]): string {
  return readPath(SETTING.cache, flags, env) ?? resolve(defaultCacheFolder(env));
}

/** Bytes that the artifacts in the cache may have. Throws `usage-invalid`. */
export function parseCacheBytes(flags: Flags, env: Terminal["env"]): number {
  const value = readSetting(SETTING.cacheBytes, flags, env);
  if (value === undefined) return FIXED_LIMITS.cacheBytes;
  const bytes = parseSizeText(value.text);
  if (bytes >= 1) return bytes;
  throw badSetting(value, "write a size with its unit, for example 512MiB or 4GiB");
}

/** Where values are stored. Throws `usage-invalid`. */
export function parseStoreOptions(flags: Flags, env: Terminal["env"]): StoreOptions {
  return parseStore(readUrlSetting(SETTING.store, flags, env), readSetting(SETTING.sqlite, flags, env), env);
}

/** A flag beats a variable, whichever store it names; two of the same kind contradict each other. */
function parseStore(
  mongodb: SettingValue | undefined,
  sqlite: SettingValue | undefined,
  env: Terminal["env"],
): StoreOptions {
  if (mongodb !== undefined && sqlite !== undefined && mongodb.from === sqlite.from) {
    throw new HostError("usage-invalid", `${mongodb.source} and ${sqlite.source} name two stores: leave one out`);
  }
  if (mongodb !== undefined && sqlite?.from !== "flag") {
    if (/^mongodb(?:\+srv)?:\/\/./.test(mongodb.text)) {
      return { kind: "mongodb", url: mongodb.text, source: mongodb.source };
    }
    throw badSetting(mongodb, "write mongodb://host:port/database or mongodb+srv://host/database");
  }
  return { kind: "sqlite", path: sqlite === undefined ? defaultStorePath(env) : parsePath(sqlite) };
}

/** Where values are stored if no store is named. Its folder may not exist yet. */
export function defaultStorePath(env: Terminal["env"]): string {
  return join(baseFolder(env["XDG_STATE_HOME"], env, [".local", "state"]), "network-host", "store.sqlite");
}

const REPLICA_ID = /^[A-Za-z0-9_-]{1,64}$/;

function parseReplicaId(value: SettingValue | undefined): string {
  if (value === undefined)
    return `${hostname()
      .replace(/[^A-Za-z0-9_-]+/g, "-")
      .slice(0, 48)}-${process.pid}`;
  if (REPLICA_ID.test(value.text)) return value.text;
  throw badSetting(value, "write 1 to 64 of the characters a-z, A-Z, 0-9, '_' and '-'");
}

const MIN_CHECK_MS = 1_000;

function parseRegistryCheck(value: SettingValue | undefined): number {
  if (value === undefined) return parseDurationMs(SETTING.registryCheck.env, SETTING.registryCheck.fallback);
  const checkMs = parseDurationMs(value.source, value.text);
  if (checkMs >= MIN_CHECK_MS) return checkMs;
  throw badSetting(value, "write a duration of 1s to 10m, for example 1m");
}

function parseSandbox(value: SettingValue | undefined): ServeOptions["sandbox"] {
  if (value === undefined || value.text === "auto") return "auto";
  if (value.text === "none") return "none";
  throw badSetting(value, "write auto or none");
}

const RUNNER_USER = /^(?<uid>\d{1,10})(?::(?<gid>\d{1,10}))?$/;
const MAX_USER_ID = 2 ** 32 - 2;

/** By number, because a name depends on a file that others may write. Root is not allowed. */
function parseRunnerUser(value: SettingValue | undefined): ServeOptions["runnerUser"] {
  if (value === undefined) return { uid: 65_534, gid: 65_534 };
  const { uid = "0", gid = uid } = RUNNER_USER.exec(value.text)?.groups ?? {};
  const user = { uid: Number(uid), gid: Number(gid) };
  if ([user.uid, user.gid].every((id) => id > 0 && id <= MAX_USER_ID)) return user;
  throw badSetting(value, "write a user's number, or user:group, both above 0, for example 65534:65534");
}

/** The engine that runs plugins. Throws `usage-invalid`. */
export function parseEngine(flags: Flags, env: Terminal["env"]): EngineChoice {
  const value = readSetting(SETTING.engine, flags, env);
  const text = value?.text ?? SETTING.engine.fallback;
  const choice = ENGINE_CHOICES.find((name) => name === text);
  if (choice !== undefined || value === undefined) return choice ?? "auto";
  throw badSetting(value, `write one of ${ENGINE_CHOICES.join(", ")}`);
}

const HEALTH_ADDRESS = /^(?:(?<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):)?(?<port>\d{1,5})$/;

function parseHealth(value: SettingValue | undefined): HealthAddress | undefined {
  if (value === undefined) return undefined;
  const { host = "127.0.0.1", port = "" } = HEALTH_ADDRESS.exec(value.text)?.groups ?? {};
  if (port === "" || Number(port) > MAX_PORT) {
    throw badSetting(value, "write a port, or host:port, for example 8080 or 0.0.0.0:8080");
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function parseLogFormat(value: SettingValue | undefined, isTerminal: boolean): LogOptions["format"] {
  if (value === undefined) return isTerminal ? "pretty" : "json";
  if (value.text === "pretty" || value.text === "json") return value.text;
  throw badSetting(value, "write pretty or json");
}
