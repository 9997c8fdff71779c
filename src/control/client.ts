/**
 * A command's end of a control socket: one request and one answer, within a time limit.
 *
 * @module
 */

import { connect } from "node:net";
import { HostError } from "../errors/host-error.ts";
import { type ControlAnswers, type ControlVerb, encodeRequest, MAX_ANSWER_BYTES, parseAnswer } from "./protocol.ts";
import { type FoundSocket, hasCode } from "./socket-folder.ts";

/** Time for the round trip, on top of the replica's own: a replica that is too slow should have time to say so itself. */
const MARGIN_MS = 1_000;

/**
 * Asks the replica behind a socket, which has `timeoutMs` milliseconds to answer. Returns `undefined` where the replica is
 * gone. Throws the error that the replica gave, `control-timeout`, `replica-unreachable` or `bad-reply`.
 */
export async function askReplica<Verb extends ControlVerb>(
  { pid, path }: FoundSocket,
  verb: Verb,
  timeoutMs: number,
): Promise<ControlAnswers[Verb] | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const socket = connect(path);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(
    () =>
      reject(new HostError("control-timeout", `the replica with process ${pid} did not answer within ${timeoutMs} ms`)),
    timeoutMs + MARGIN_MS,
  );
  socket.on("connect", () => socket.write(encodeRequest({ verb, timeoutMs })));
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (chunk.includes("\n")) resolve(Buffer.concat(chunks).toString());
    else if (bytes > MAX_ANSWER_BYTES) reject(new HostError("bad-reply", "the replica's answer has no end"));
  });
  socket.on("error", (error) => {
    if (chunks.length === 0 && hasCode(error, "ECONNREFUSED", "ENOENT")) resolve(undefined);
    else reject(unreachable(pid, error.message, error));
  });
  socket.on("close", () => reject(unreachable(pid, "it closed the connection without an answer")));
  try {
    const text = await promise;
    return text === undefined ? undefined : parseAnswer(verb, text.slice(0, text.indexOf("\n")));
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function unreachable(pid: number, why: string, cause?: unknown): HostError {
  return new HostError("replica-unreachable", `the replica with process ${pid} cannot be asked: ${why}`, { cause });
}
