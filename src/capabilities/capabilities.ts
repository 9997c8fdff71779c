/**
 * The table of capabilities. From it follow the messages of the protocol, the imports that suspend, the counters and their
 * metrics, and the access level of each operation. `guest.ts` and `host.ts` list the two sides in the same way.
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

/** Any message of a capability from a runner. */
export type CapabilityToHost = MessageOf<Messages["toHost"]>;

/** Any message of a capability from the host. */
export type CapabilityToGuest = MessageOf<Messages["toGuest"]>;

const TO_HOST_KINDS: ReadonlySet<string> = new Set(TABLE.flatMap(({ messages }) => Object.keys(messages.toHost)));

const TO_GUEST_KINDS: ReadonlySet<string> = new Set(TABLE.flatMap(({ messages }) => Object.keys(messages.toGuest)));

/** Does a message from a runner belong to a capability? */
export function isCapabilityToHost(message: { readonly kind: string }): message is CapabilityToHost {
  return TO_HOST_KINDS.has(message.kind);
}

/** Does a message from the host belong to a capability? */
export function isCapabilityToGuest(message: { readonly kind: string }): message is CapabilityToGuest {
  return TO_GUEST_KINDS.has(message.kind);
}

export const TO_HOST_TABLES: readonly Messages["toHost"][] = TABLE.map(({ messages }) => messages.toHost);

export const TO_GUEST_TABLES: readonly Messages["toGuest"][] = TABLE.map(({ messages }) => messages.toGuest);
