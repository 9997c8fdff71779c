/**
 * Finds out, as far as possible, why no reply came: service discovery, which uses other subjects than requests, says whether
 * a replica serves the plugin.
 *
 * @module
 */

import { errors, type NatsConnection } from "nats";
import type { PluginName } from "../contract/names.ts";
import { requestSubject } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";

const ASK_TIMEOUT_MS = 1_000;

/** "unknown" if this user may not ask. */
type Service = "served" | "unserved" | "unknown";

/** The server reported no responders. */
export async function nobodyServes(connection: NatsConnection, plugin: PluginName, cause: unknown): Promise<HostError> {
  const subject = requestSubject(plugin);
  const message =
    (await serviceOf(connection, plugin)) === "served"
      ? `a replica serves ${plugin}, but this request reached none: does the account map ${subject} elsewhere, or with weights that add up to less than 100 %, or may this user not reach the replica's account?`
      : `nobody serves ${subject}: check the plugin's name, and that "network-host serve" runs with a consumer file that lists it on the same NATS server and account`;
  return new HostError("no-responders", message, { cause });
}

/** No reply came in `waitedMs`; streams have acknowledged the request. */
export async function noReply(
  connection: NatsConnection,
  plugin: PluginName,
  waitedMs: number,
  streams: readonly string[],
): Promise<HostError> {
  const service = await serviceOf(connection, plugin);
  return new HostError("deadline-exceeded", `no reply within ${waitedMs} ms: ${whyNone(plugin, service, streams)}`);
}

function whyNone(plugin: PluginName, service: Service, streams: readonly string[]): string {
  const subject = requestSubject(plugin);
  if (service === "served") return "a replica serves the plugin and has not answered; the work may have been done";
  const found = service === "unserved" ? `no replica is found that serves ${subject}; ` : "";
  const taker =
    streams.length > 0
      ? `only ${streamNames(streams)} answered, with its acknowledgement`
      : "a replica that has ended meanwhile, or something else that subscribes to the subject, has taken the request";
  return `${found}${taker}; if a replica has taken it, the work may have been done`;
}

/** Tells the user about streams that answered a request. */
export function streamWarning(plugin: PluginName, streams: readonly string[]): string {
  const subject = requestSubject(plugin);
  return `${streamNames(streams)} takes ${subject} and answers each request with its own acknowledgement, which other callers take for the reply: take the subject out of the stream, or create it with no_ack`;
}

function streamNames(streams: readonly string[]): string {
  const names = [...new Set(streams)].map((name) => JSON.stringify(name)).join(", ");
  return `the JetStream stream ${names}`;
}

async function serviceOf(connection: NatsConnection, plugin: PluginName): Promise<Service> {
  try {
    await connection.request(`$SRV.PING.${plugin}`, "", { timeout: ASK_TIMEOUT_MS });
    return "served";
  } catch (error) {
    // Every replica gets the question; those that do not serve the plugin do not answer.
    return isNoResponders(error) || error instanceof errors.TimeoutError ? "unserved" : "unknown";
  }
}

/** Did the server report no responders? */
export function isNoResponders(error: unknown): boolean {
  return error instanceof errors.NoRespondersError || (error instanceof errors.RequestError && error.isNoResponders());
}
