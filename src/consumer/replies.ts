/**
 * Sends replies: that of an outcome, or an error in its place where it is too large for the limit or the server. Where
 * the connection is closed for good there is nobody left to tell but the log and the counters.
 *
 * @module
 */

import type { Msg } from "nats";
import type { Outcome } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PluginStats } from "../telemetry/plugin-stats.ts";
import { failed } from "./failure.ts";
import { encodeReply, messageBytes, publishable, type Reply } from "./reply.ts";

/** What replies need of a connection. */
export interface ReplyConnection {
  /** What the server said of itself; absent once the connection is closed for good. */
  readonly info?: { readonly max_payload: number } | undefined;
}

export class Replies {
  readonly #connection: ReplyConnection;
  readonly #logger: Logger;

  constructor(connection: ReplyConnection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
  }

  /**
   * Answers a message, once. Never throws: what cannot be sent is counted as dropped. `replyBytes` is the plugin's
   * limit. Returns the code of the reply, `undefined` where it is the plugin's own.
   */
  send(
    message: Msg,
    outcome: Outcome,
    id: string | undefined,
    replyBytes: number,
    stats: PluginStats,
  ): ErrorCode | undefined {
    const { info } = this.#connection;
    const reply = fittingReply(outcome, id, replyBytes, info?.max_payload ?? Number.POSITIVE_INFINITY);
    try {
      // The client would take it, and forget it.
      if (info === undefined) throw new TypeError("the connection is closed");
      message.respond(reply.data, { headers: publishable(reply.headers) });
    } catch (error) {
      stats.drop("connection-closed");
      this.#logger.error(
        { err: error, plugin: stats.plugin, id },
        "a reply could not be sent: the NATS connection is closed",
      );
    }
    return reply.code;
  }
}

function fittingReply(outcome: Outcome, id: string | undefined, replyBytes: number, serverBytes: number): Reply {
  const reply = encodeReply(outcome, id);
  const bodyBytes = outcome.kind === "failed" ? 0 : reply.data.length;
  if (bodyBytes <= replyBytes && messageBytes(reply) <= serverBytes) return reply;
  return encodeReply(failed("reply-too-large", `the body has ${bodyBytes} bytes`), id);
}
