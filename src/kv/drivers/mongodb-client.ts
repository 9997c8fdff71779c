/**
 * The MongoDB client behind the store: checks the URL, sets the durability and the bounds that no URL may
 * weaken, and keeps the URL's credentials out of every message.
 *
 * @module
 */

import { MongoClient, type MongoClientOptions } from "mongodb";
import { HostError } from "../../errors/host-error.ts";
import { REDACTED, scrubSecrets } from "../../telemetry/redaction.ts";

/** Where the data goes if neither the option nor the URL says. */
const DEFAULT_DATABASE = "network-host";

/** How long a connection may take to open, and a monitor's answer to come. */
const CONNECT_TIMEOUT_MS = 2_000;

/** A silent server is noticed within this and {@link CONNECT_TIMEOUT_MS}. */
const HEARTBEAT_MS = 5_000;

/** Connections to one server. Beyond it commands queue, within their operation's time. */
const MAX_CONNECTIONS = 64;

/** What a URL gave. */
export interface MongoTarget {
  readonly client: MongoClient;
  readonly database: string;
  /** Removes credentials from a text that comes from the driver. */
  readonly redact: (text: string) => string;
  /**
   * Does the deployment recognise a write that it is sent again? All do but single servers that are no replica
   * set. `undefined` before the first connection.
   */
  readonly knowsRetries: () => boolean | undefined;
}

/**
 * Makes a client; it connects with the first command, and again whenever it lost its servers.
 *
 * @throws HostError `usage-invalid` for a URL that cannot be used.
 */
export function createMongoClient(url: string, database: string | undefined, maxOperationMs: number): MongoTarget {
  const parts = splitUrl(url);
  let client: MongoClient;
  try {
    client = new MongoClient(url, clientOptions(maxOperationMs));
  } catch {
    // The driver's message may quote what it took for a host or an option: part of a password that was not encoded.
    throw urlInvalid("it is not a valid connection string");
  }
  return {
    client,
    database: database ?? parts.database ?? DEFAULT_DATABASE,
    redact: (text) => redact(text, parts.secrets),
    knowsRetries: watchRetries(client),
  };
}

/** What the driver learns of its servers; it tells before it uses them. */
function watchRetries(client: MongoClient): () => boolean | undefined {
  let knows: boolean | undefined;
  client.on("serverDescriptionChanged", ({ newDescription: { type } }) => {
    if (type !== "Unknown") knows = type !== "Standalone";
  });
  return () => knows;
}

/** Options given here win over the URL's. */
function clientOptions(maxOperationMs: number): MongoClientOptions {
  return {
    appName: "network-host",
    retryReads: true,
    retryWrites: true,
    maxPoolSize: MAX_CONNECTIONS,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    // The store settles each operation itself; these end what the driver still does for it.
    serverSelectionTimeoutMS: maxOperationMs,
    waitQueueTimeoutMS: maxOperationMs,
    socketTimeoutMS: maxOperationMs,
    promoteValues: true,
    promoteBuffers: true,
    monitorCommands: false,
  };
}

interface UrlParts {
  readonly database: string | undefined;
  readonly secrets: readonly string[];
}

const URL_SHAPE = /^mongodb(?:\+srv)?:\/\/(?<authority>[^/?]+)(?:\/(?<path>[^?]*))?(?:\?.*)?$/s;

function splitUrl(url: string): UrlParts {
  const groups = URL_SHAPE.exec(url)?.groups;
  if (groups === undefined) throw urlInvalid("it does not begin with mongodb:// or mongodb+srv:// and a host");
  const { authority = "", path } = groups;
  // A password with a raw '@' or '/' would be cut in two, and its end taken for a host's name and reported.
  if (authority.split("@").length > 2 || path?.includes("@") === true)
    throw urlInvalid("its user name or password holds a character that must be percent-encoded");
  const at = authority.lastIndexOf("@");
  const [, password] = at < 0 ? [] : authority.slice(0, at).split(/:(.*)/s);
  const database = path === undefined || path === "" ? undefined : decode(path);
  return { database, secrets: password === undefined || password === "" ? [] : [password, decode(password)] };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlInvalid("it holds a '%' that does not begin a percent-encoded character");
  }
}

function urlInvalid(reason: string): HostError {
  return new HostError(
    "usage-invalid",
    `the MongoDB URL cannot be used: ${reason}; write mongodb://[user:password@]host[:port]/[database], ` +
      "with special characters of user and password percent-encoded",
  );
}

function redact(text: string, secrets: readonly string[]): string {
  let safe = scrubSecrets(text);
  for (const secret of secrets) safe = safe.replaceAll(secret, REDACTED);
  return safe;
}
