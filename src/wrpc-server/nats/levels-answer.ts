/**
 * The answer to `get-access-levels` over NATS: what the component asked for at its probe. The function has no place for an
 * error, but a status in place of the handshake has: callers fail at once with its text.
 *
 * @module
 */

import type { ServedPlugin } from "../../consumer/served-plugin.ts";
import { DEFAULT_PLUGIN_LIMITS } from "../../contract/limits.ts";
import { type ErrorCode, errorRow } from "../../errors/table.ts";
import type { OutgoingReply, OutgoingSequence, ReplyPort, SequencePort } from "../../nats/reply-sender.ts";
import { encodeValue, GET_ACCESS_LEVELS } from "../../wrpc/handler-functions.ts";
import { resultsSubject } from "../../wrpc/nats-subjects.ts";
import { declaredLevels } from "../serving-version.ts";
import { handshake, resultMessages } from "./invocation.ts";

/** An invocation of `get-access-levels`. */
export interface LevelsInvocation {
  /** The reply subject of the invocation. */
  readonly caller: string;
  /** Where the caller sends the end of its parameters: nobody listens there. */
  readonly inbox: string;
  readonly arrivedMs: number;
  /** The function has none. */
  readonly parameters: Uint8Array;
  readonly replies: ReplyPort & SequencePort;
}

const EMPTY = Buffer.alloc(0);

export function answerLevels(plugin: ServedPlugin, invocation: LevelsInvocation): void {
  const declared = declaredLevels(plugin);
  if (invocation.parameters.length > 0) refuse(plugin, invocation, "bad-request");
  else if (declared.kind === "refused") refuse(plugin, invocation, declared.code);
  else send(plugin, invocation, declared.levels);
}

function send(plugin: ServedPlugin, invocation: LevelsInvocation, levels: number): void {
  const { caller, inbox, replies } = invocation;
  const subject = resultsSubject(caller);
  const value = encodeValue(GET_ACCESS_LEVELS.result, levels);
  const sequence: OutgoingSequence = {
    ...outgoing(plugin, invocation),
    subject,
    encode: (maxPayloadBytes) => ({
      messages: [...handshake(caller, inbox), ...resultMessages(subject, value, maxPayloadBytes)],
    }),
    settled: (fate) => {
      if (fate.kind === "dropped") plugin.stats.drop(fate.reason);
    },
  };
  replies.send(sequence);
}

function refuse(plugin: ServedPlugin, invocation: LevelsInvocation, code: ErrorCode): void {
  const { replyCode, summary } = errorRow(code);
  const headers = Buffer.from(`NATS/1.0 ${replyCode} ${code}: ${summary}\r\n\r\n`, "latin1");
  const reply: OutgoingReply = {
    ...outgoing(plugin, invocation),
    subject: invocation.caller,
    encode: () => ({ headers, data: EMPTY }),
    settled: (fate) => {
      if (fate.kind === "sent") plugin.stats.refuse(code);
      else plugin.stats.drop(fate.reason);
    },
  };
  invocation.replies.send(reply);
}

function outgoing(
  plugin: ServedPlugin,
  { arrivedMs }: LevelsInvocation,
): Pick<OutgoingReply, "plugin" | "owner" | "untilMs"> {
  const { deadlineMs } = DEFAULT_PLUGIN_LIMITS;
  return { plugin: plugin.slot.name, owner: plugin, untilMs: arrivedMs + deadlineMs };
}
