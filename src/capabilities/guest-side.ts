/**
 * The guest side of a capability: the interfaces that it provides to instances, and its link to the host, one for the whole
 * process. It runs in a plugin's process, together with untrusted code: it bounds what a guest sends and decides nothing.
 *
 * @module
 */

import type { CapabilityToHost } from "./capabilities.ts";
import type { CallEnding, Provider } from "../runner/guest/guest-context.ts";

/** One capability's guest side. `Message` is what the host sends it, `Port` what a call uses it by. */
export interface GuestSide<Message = unknown, Port = unknown> {
  readonly capability: string;
  /** By interface, without versions: one namespace for all instances, or one made for each from its context. */
  readonly interfaces: Readonly<Record<string, Provider>>;
  /** Absent where the capability has no messages. */
  readonly link?: GuestLinkKind<Message, Port>;
}

/** Opens a capability's link to the host. */
export interface GuestLinkKind<Message, Port> {
  /** The port for calls that are denied the capability. */
  readonly denied: Port;
  open(send: (message: CapabilityToHost) => void): GuestLink<Message, Port>;
}

/** The runner's end of a capability's messages between host and runner. */
export interface GuestLink<Message, Port> {
  /** The port of a call, which is asked for at most once. After the call's end, operations on it have no effect. */
  port(call: number): Port;
  /** Acts on a message of the host. Ignores one for what has ended: the host may not have known of the end. */
  receive(message: Message): void;
  endCall(call: number, ending: CallEnding): void;
}
