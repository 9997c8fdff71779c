/**
 * Finds JetStream streams that store requests: such a stream answers every request with an acknowledgement, which
 * callers take for the reply. Uses a connection of its own: where the user may not list streams, the server reports an
 * error on the connection that asked, and the replica's own must not get it.
 *
 * @module
 */

import { connect, type NatsConnection } from "nats";
import { natsConnectionOptions, type NatsOptions } from "./connection.ts";

/** A stream that acknowledges messages on some of the given subjects. */
export interface CapturingStream {
  readonly name: string;
  /** Those of its configured subjects that match a given subject. */
  readonly subjects: readonly string[];
}

const LIST_SUBJECT = "$JS.API.STREAM.LIST";
const TIMEOUT_MS = 2_000;
/** The server decides how many streams a page has, usually 256. */
const MAX_PAGES = 64;

interface StreamDescription {
  readonly config?: { readonly name?: unknown; readonly subjects?: unknown; readonly no_ack?: unknown };
}

/**
 * The streams that acknowledge messages on these subjects. Rejects where they cannot be listed: no connection, no
 * JetStream, or a user without the permission.
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

/** Does a pattern with `*` and `>` match a subject without wildcards? */
export function matchesSubject(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split("."), subject.split(".")];
  for (const [at, token] of wanted.entries()) {
    if (token === ">") return given.length > at;
    if (given[at] === undefined || (token !== "*" && token !== given[at])) return false;
  }
  return wanted.length === given.length;
}
