/**
 * Finds JetStream streams that store requests: each answers every request with its own acknowledgement, and callers take
 * that for the reply. Looks on a connection of its own, since a user that may not ask is told so by the server, and that
 * does not concern the replica.
 *
 * @module
 */

import { connect, type NatsConnection } from "nats";
import { natsConnectionOptions, type NatsOptions } from "./connection.ts";

/** A stream that answers messages on some of the subjects asked for. */
export interface CapturingStream {
  readonly name: string;
  /** Its own subjects, as they are configured, that overlap with those asked for. */
  readonly subjects: readonly string[];
}

const LIST_SUBJECT = "$JS.API.STREAM.LIST";
const TIMEOUT_MS = 2_000;
/** Pages of 256 streams, or as many as the server has in one. */
const MAX_PAGES = 64;

/** The part of a stream's description that is read here. */
interface StreamDescription {
  readonly config?: { readonly name?: unknown; readonly subjects?: unknown; readonly no_ack?: unknown };
}

/**
 * The streams that acknowledge messages on these subjects. Rejects where that cannot be told: no connection, no JetStream, a
 * user that may not ask for its streams.
 */
export async function findCapturingStreams(
  nats: NatsOptions,
  name: string,
  subjects: readonly string[],
): Promise<CapturingStream[]> {
  const connection = await connect({
    ...natsConnectionOptions(nats),
    name,
    reconnect: false,
    timeout: TIMEOUT_MS,
  });
  try {
    const streams = await listStreams(connection);
    return streams.flatMap(({ config }) => {
      if (config?.no_ack === true || !Array.isArray(config?.subjects)) return [];
      const captured = config.subjects.filter(
        (pattern: unknown): pattern is string =>
          typeof pattern === "string" && subjects.some((subject) => matchesSubject(pattern, subject)),
      );
      return captured.length === 0 ? [] : [{ name: String(config.name), subjects: captured }];
    });
  } finally {
    await connection.close();
  }
}

async function listStreams(connection: NatsConnection): Promise<StreamDescription[]> {
  const streams: StreamDescription[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const question = JSON.stringify({ offset: streams.length });
    const answer = await connection.request(LIST_SUBJECT, question, { timeout: TIMEOUT_MS });
    const { streams: some, total } = answer.json<{ streams?: StreamDescription[] | null; total?: number }>();
    if (!Array.isArray(some) || some.length === 0) break;
    streams.push(...some);
    if (streams.length >= (total ?? 0)) break;
  }
  return streams;
}

/** Does a pattern with `*` and `>` take a subject that has none of them? */
export function matchesSubject(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split("."), subject.split(".")];
  for (const [at, token] of wanted.entries()) {
    if (token === ">") return given.length > at;
    if (given[at] === undefined || (token !== "*" && token !== given[at])) return false;
  }
  return wanted.length === given.length;
}
