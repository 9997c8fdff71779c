/**
 * One try: sends the request and waits for its one reply, for as long as is left.
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { type Failure, failureOf } from "./call-error.ts";
import { type Outcome, parseReply } from "./reply.ts";
import { type CallRequest, encodedBytes, headersOf } from "./request.ts";
import { orAborted } from "./waiting.ts";

/** Its class and its name differ in version 3.4. */
const NO_RESPONDERS = ["NoRespondersError", "NoResponders"];

/** Rejects only with the signal's reason. */
export async function attempt(
  connection: NatsConnection,
  request: CallRequest,
  leftMs: number,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const head = headersOf(request, leftMs);
  const bytes = encodedBytes(request, head);
  const maxBytes = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  if (bytes > maxBytes) {
    const text = `the request has ${bytes} bytes with its headers; the NATS server takes at most ${maxBytes}`;
    return { kind: "failed", failure: failureOf("payload-too-large", text) };
  }
  // The NATS client cannot be told to forget a request: after an abort it does so when the time is over.
  const sent = connection.request(request.subject, request.payload, { headers: head, timeout: leftMs });
  return orAborted(
    sent.then(parseReply, (error: unknown) => ({ kind: "failed", failure: lost(error, leftMs) })),
    signal,
  );
}

/**
 * Why no reply came. Errors of the NATS client are told apart by name: a class has as many copies as there are versions of the
 * client in the program.
 */
function lost(error: unknown, leftMs: number): Failure {
  const names = namesOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (NO_RESPONDERS.some((name) => names.includes(name)))
    return failureOf("no-responders", "no replica serves the plugin, or this user's requests reach none", {
      cause: error,
    });
  if (names.includes("TimeoutError"))
    return failureOf("deadline-exceeded", `no reply within ${leftMs} ms`, { cause: error });
  const wasSent = names.includes("RequestError") && !names.includes("PermissionViolationError");
  return failureOf("nats-unavailable", text, { mayHaveRun: wasSent, cause: error });
}

/** Names of the error and of what caused it. */
function namesOf(error: unknown): string[] {
  const names: string[] = [];
  for (let at = error; at instanceof Error && names.length < 4; at = at.cause) names.push(at.name);
  return names;
}
