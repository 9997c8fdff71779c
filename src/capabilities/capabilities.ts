/**
 * The table of capabilities. What follows from it: the messages of the protocol, the imports that suspend, the counters
 * and their metrics, and the access level of each operation. `guest.ts` and `host.ts` have the same lines for the two sides.
 *
 * @module
 */

import type { MessageOf } from "../channel/message-table.ts";
import type { Capability } from "./capability.ts";
import { KEY_VALUE } from "./key-value/definition.ts";
import { LOGGING } from "./logging/definition.ts";
import { OUTBOUND_HTTP } from "./outbound-http/definition.ts";

const TABLE = [LOGGING, KEY_VALUE, OUTBOUND_HTTP] as const satisfies readonly Capability[];

export const CAPABILITIES: readonly Capability[] = TABLE;

type Messages = (typeof TABLE)[number]["messages"];

/** What runners say of all capabilities. */
export type CapabilityToHost = MessageOf<Messages["toHost"]>;

/** What the host says of them. */
export type CapabilityToGuest = MessageOf<Messages["toGuest"]>;

const TO_HOST_KINDS: ReadonlySet<string> = new Set(TABLE.flatMap(({ messages }) => Object.keys(messages.toHost)));

const TO_GUEST_KINDS: ReadonlySet<string> = new Set(TABLE.flatMap(({ messages }) => Object.keys(messages.toGuest)));

/** Is a message of a runner one of a capability? */
export function isCapabilityToHost(message: { readonly kind: string }): message is CapabilityToHost {
  return TO_HOST_KINDS.has(message.kind);
}

/** Is a message of the host one of a capability? */
export function isCapabilityToGuest(message: { readonly kind: string }): message is CapabilityToGuest {
  return TO_GUEST_KINDS.has(message.kind);
}

export const TO_HOST_TABLES: readonly Messages["toHost"][] = TABLE.map(({ messages }) => messages.toHost);

export const TO_GUEST_TABLES: readonly Messages["toGuest"][] = TABLE.map(({ messages }) => messages.toGuest);
