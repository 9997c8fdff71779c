/**
 * Listens to what a client and a server of wRPC say over NATS, and says it again.
 *
 * Names that differ from call to call have others here: `P` is the prefix, `C` the client's inbox and `S` the server's.
 *
 * @module
 */

import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from "nats";
import { z } from "zod";
import { formatBytes, parseBytes } from "./byte-notation.ts";

const messageSchema = z.object({
  from: z.enum(["client", "server"]),
  to: z.string(),
  reply: z.string().optional(),
  /** Of the message's header, where it has one. */
  status: z.string().optional(),
  /** In the notation of `byte-notation.ts`. */
  payload: z.string(),
});

/** One call, in the order in which the NATS server had it. */
export const natsConversationSchema = z.object({ name: z.string(), messages: z.array(messageSchema) });

export type NatsConversation = z.output<typeof natsConversationSchema>;
export type NatsMessage = z.output<typeof messageSchema>;

export interface NatsRecorder extends AsyncDisposable {
  /** The next call, when all of it was said. */
  next(name: string): Promise<NatsConversation>;
}

/** Listens to calls that come one after the other; what else is said on that server is no part of them. */
export async function startNatsRecorder(connection: NatsConnection, prefix: string): Promise<NatsRecorder> {
  const subscription = connection.subscribe(">");
  await connection.flush();
  const heard = subscription[Symbol.asyncIterator]();
  return {
    async next(name) {
      const names = new InboxNames(prefix);
      const messages: NatsMessage[] = [];
      while (!isOver(messages)) {
        const { value, done } = await heard.next();
        if (done === true) throw new Error(`the connection ended within ${name}`);
        const message = names.rename(value);
        if (message !== undefined) messages.push(message);
      }
      return { name, messages };
    },
    async [Symbol.asyncDispose]() {
      subscription.unsubscribe();
      await connection.flush();
    },
  };
}

/** Parameters and results have both come to their end, or there is a status in place of the server's inbox. */
function isOver(messages: readonly NatsMessage[]): boolean {
  const isSaid = (to: string): boolean => messages.some((message) => message.to === to && message.payload === "");
  return messages.some(({ status }) => status !== undefined) || (isSaid("S.params") && isSaid("C.results"));
}

type Heard = Pick<Msg, "subject" | "data" | "reply"> & { readonly headers?: MsgHdrs | undefined };

/** What the inboxes of a call are called. */
class InboxNames {
  readonly #prefix: string;
  #client: string | undefined;
  #server: string | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get server(): string {
    return this.#server ?? "";
  }

  /** @returns `undefined` for what is no part of the call. */
  rename({ subject, reply, data, headers }: Heard): NatsMessage | undefined {
    if (subject.startsWith(`${this.#prefix}.`)) this.#client ??= reply;
    else if (subject === this.#client && reply !== "") this.#server ??= reply;
    const to = this.#nameOf(subject);
    if (to === undefined) return undefined;
    return {
      from: to.startsWith("C") ? "server" : "client",
      to,
      ...(reply !== undefined && reply !== "" && { reply: this.#nameOf(reply) ?? reply }),
      ...(headers !== undefined && { status: `${headers.code} ${headers.description}`.trim() }),
      payload: formatBytes(data),
    };
  }

  #nameOf(subject: string): string | undefined {
    const names = { P: this.#prefix, C: this.#client, S: this.#server };
    for (const [name, own] of Object.entries(names))
      if (own !== undefined && (subject === own || subject.startsWith(`${own}.`)))
        return `${name}${subject.slice(own.length)}`;
    return undefined;
  }
}

/**
 * Says what a client said, each message when those before it were said. @returns all that was said, with what this server
 * says in place of what the recorded one did.
 */
export async function replayNats(
  { messages }: Pick<NatsConversation, "messages">,
  connection: NatsConnection,
  prefix: string,
): Promise<(NatsMessage | undefined)[]> {
  // One subscription has both in the server's order.
  const own = createInbox();
  const client = `${own}.c`;
  const subscription = connection.subscribe(`${own}.>`);
  const heard = subscription[Symbol.asyncIterator]();
  const names = new InboxNames(prefix);
  const said: (NatsMessage | undefined)[] = [];
  for (const message of messages) {
    if (message.from === "server") {
      const { value, done } = await heard.next();
      said.push(done === true ? undefined : names.rename(value));
      continue;
    }
    const subject = message.to.replace(/^P/, prefix).replace(/^S/, names.server);
    const reply = message.reply?.replace(/^C/, client);
    const data = parseBytes(message.payload);
    said.push(names.rename({ subject, data, ...(reply !== undefined && { reply }) }));
    connection.publish(subject, data, reply === undefined ? {} : { reply });
  }
  // What it says beyond that was not recorded.
  const rest = subscription.drain();
  for (let more = await heard.next(); more.done !== true; more = await heard.next())
    said.push(names.rename(more.value));
  await rest;
  return said;
}
