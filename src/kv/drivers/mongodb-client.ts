/**
 * Makes the MongoDB client behind the store: sets the durability and the bounds that no URL may weaken.
 *
 * @module
 */

import { MongoClient, type MongoClientOptions, ReadPreference } from "mongodb";
import { type MongoUrl, withoutEachOption } from "./mongodb-url.ts";
import { urlInvalid } from "./mongodb-url-error.ts";

/** How long a connection may take to open, and a monitor's answer to come. */
const CONNECT_TIMEOUT_MS = 2_000;

/** A silent server is noticed within this and {@link CONNECT_TIMEOUT_MS}. */
const HEARTBEAT_MS = 5_000;

/** Connections to one server; a URL may say less. Beyond it commands queue, within their operation's time. */
const MAX_CONNECTIONS = 64;

/**
 * Makes a client, which is not connected.
 *
 * @param source what a message calls the URL
 * @throws HostError `usage-invalid` for a URL that the driver refuses
 */
export function createMongoClient(url: MongoUrl, source: string, maxOperationMs: number): MongoClient {
  const options = clientOptions(url, source, maxOperationMs);
  const client = clientFor(url.text, options);
  if (client !== undefined) return client;
  for (const { option, text } of withoutEachOption(url)) {
    if (clientFor(text, options) === undefined) continue;
    const reason = `its option ${option} has an invalid value`;
    throw urlInvalid(source, reason, "correct it or leave it out");
  }
  throw urlInvalid(source, "it is not a valid connection string");
}

/** `undefined` for a URL that the driver refuses. Its message may quote a part of a password, so it is released. */
function clientFor(url: string, options: MongoClientOptions): MongoClient | undefined {
  try {
    return new MongoClient(url, options);
  } catch {
    return undefined;
  }
}

/** Options given here win over the URL's. */
function clientOptions({ options }: MongoUrl, source: string, maxOperationMs: number): MongoClientOptions {
  return {
    ...(!options.has("appname") && { appName: "network-host" }),
    maxPoolSize: poolSize(options, source),
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    // The store settles each operation itself; these end what the driver still does for it.
    serverSelectionTimeoutMS: maxOperationMs,
    waitQueueTimeoutMS: maxOperationMs,
    socketTimeoutMS: maxOperationMs,
    // Only the primary has what the store needs, and a connection is there when one to it is.
    readPreference: ReadPreference.primary,
    promoteValues: true,
    promoteBuffers: true,
    monitorCommands: false,
  };
}

function poolSize(options: MongoUrl["options"], source: string): number {
  const [least, most] = ["minPoolSize", "maxPoolSize"].map((option) => {
    const text = options.get(option.toLowerCase()) ?? "0";
    if (/^[0-9]{1,9}$/.test(text)) return Number(text);
    throw urlInvalid(source, `its option ${option} has an invalid value`, "write a number");
  }) as [number, number];
  // To the driver 0 means no bound.
  const size = most === 0 ? MAX_CONNECTIONS : Math.min(most, MAX_CONNECTIONS);
  if (least <= size) return size;
  throw urlInvalid(
    source,
    `its option minPoolSize is larger than the ${size} connections that there may be`,
    "lower it",
  );
}
