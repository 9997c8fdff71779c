/**
 * What a capability's guest side is: the interfaces that it gives to instances, and its end of the conversation with the
 * host, one for the whole process. Runs in a plugin's process, beside a stranger's code: it bounds what a guest sends and
 * decides nothing.
 *
 * @module
 */

import type { CapabilityToHost } from "./capabilities.ts";
import type { CallEnding, Provider } from "../runner/guest/guest-context.ts";

export interface GuestSide<Message = unknown, Port = unknown> {
  readonly capability: string;
  /** By interface, without versions: one namespace for all instances, or one made for each from its context. */
  readonly interfaces: Readonly<Record<string, Provider>>;
  /** Absent where it says nothing to the host. */
  readonly link?: GuestLinkKind<Message, Port>;
}

export interface GuestLinkKind<Message, Port> {
  /** What a call gets that may do nothing. */
  readonly denied: Port;
  open(send: (message: CapabilityToHost) => void): GuestLink<Message, Port>;
}

/** The guest's end of what a capability says between host and runner. */
export interface GuestLink<Message, Port> {
  /** What the call may do, asked for once a call at most. What it does after its end has no effect. */
  port(call: number): Port;
  /** Acts on a message of the host; one for what has ended is ignored, since it may have been on its way. */
  receive(message: Message): void;
  endCall(call: number, ending: CallEnding): void;
}
