/**
 * What one side of a channel sends and takes: derives from its tables of messages all that the transport needs.
 *
 * @module
 */

import type { FieldReader } from "./field-reader.ts";
import type { FieldSink, FrameMemory } from "./fields.ts";
import { type MessageOf, type MessageTable, TableCodec } from "./message-table.ts";
import type { Violation } from "./violation.ts";

/** Where a message is written to, as a frame. */
export interface FrameSink extends FieldSink {
  begin(tag: number): void;
  end(): void;
}

/** The rule for the frames of one tag. */
export interface FrameRule {
  /** The most bytes of a payload. */
  readonly maxBytes: number;
  readonly memory: FrameMemory;
}

/** One side's end of the protocol. */
export interface Protocol<Incoming, Outgoing> {
  /** Writes a message as a frame. */
  encode(message: Outgoing, out: FrameSink): void;
  /** The rule for a frame that arrives with this tag; `undefined` where this side takes no such frame. */
  rule(tag: number): FrameRule | undefined;
  /** Reads a frame for which there is a rule. */
  decode(tag: number, from: FieldReader): Incoming | Violation;
}

/** The tables of both directions. */
export interface ProtocolTables<Received extends MessageTable, Sent extends MessageTable> {
  readonly receives: readonly Received[];
  readonly sends: readonly Sent[];
}

/** Makes one side's end of a protocol. The other side's has the same tables, `receives` and `sends` swapped. */
export function createProtocol<Received extends MessageTable, Sent extends MessageTable>({
  receives,
  sends,
}: ProtocolTables<Received, Sent>): Protocol<MessageOf<Received>, MessageOf<Sent>> {
  const incoming = new TableCodec(receives);
  const outgoing = new TableCodec(sends);
  return {
    encode(message, out) {
      const codec = outgoing.of((message as { readonly kind: string }).kind);
      out.begin(codec.tag);
      codec.write(message, out);
      out.end();
    },
    rule: (tag) => incoming.at(tag),
    decode(tag, from) {
      const read = incoming.at(tag)?.read(from) as MessageOf<Received>;
      return from.end() ?? read;
    },
  };
}
