/**
 * The guest sides of all capabilities: one line for each. Never imports a host side.
 *
 * @module
 */

import type { CallEnding, Provider } from "../runner/guest/guest-context.ts";
import { CAPABILITIES, type CapabilityToGuest, type CapabilityToHost } from "./capabilities.ts";
import type { GuestLink, GuestSide } from "./guest-side.ts";
import { KEY_VALUE_GUEST } from "./key-value/guest/side.ts";
import { LOGGING_GUEST } from "./logging/guest.ts";
import { OUTBOUND_HTTP_GUEST } from "./outbound-http/guest/side.ts";

const GUEST_SIDES: readonly GuestSide[] = [LOGGING_GUEST, KEY_VALUE_GUEST, OUTBOUND_HTTP_GUEST];

/** The interfaces that capabilities provide to instances. */
export const CAPABILITY_PROVIDERS: readonly (readonly [interfaceId: string, provider: Provider])[] =
  GUEST_SIDES.flatMap(({ interfaces }) => Object.entries(interfaces));

/** The ports for denied calls, by capability. */
const DENIED: ReadonlyMap<string, unknown> = new Map(
  GUEST_SIDES.map(({ capability, link }) => [capability, link?.denied]),
);

/** The port of a capability for a call that is denied it. */
export function deniedPort(capability: string): unknown {
  return DENIED.get(capability);
}

/** The links of all capabilities in one runner. */
export class GuestLinks {
  readonly #byCapability = new Map<string, GuestLink<unknown, unknown>>();
  /** The link that takes each kind of message. */
  readonly #receivers = new Map<string, GuestLink<unknown, unknown>>();

  constructor(send: (message: CapabilityToHost) => void) {
    for (const { capability, link } of GUEST_SIDES) {
      const opened = link?.open(send);
      if (opened !== undefined) this.#byCapability.set(capability, opened);
    }
    for (const { name, messages } of CAPABILITIES) {
      const link = this.#byCapability.get(name);
      if (link !== undefined) for (const kind of Object.keys(messages.toGuest)) this.#receivers.set(kind, link);
    }
  }

  /** The port of a capability for a call. */
  port(capability: string, call: number): unknown {
    return this.#byCapability.get(capability)?.port(call);
  }

  receive(message: CapabilityToGuest): void {
    this.#receivers.get(message.kind)?.receive(message);
  }

  endCall(call: number, ending: CallEnding): void {
    for (const link of this.#byCapability.values()) link.endCall(call, ending);
  }
}
