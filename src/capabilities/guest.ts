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

/** What capabilities give to instances, by interface. */
export const CAPABILITY_PROVIDERS: readonly (readonly [interfaceId: string, provider: Provider])[] =
  GUEST_SIDES.flatMap(({ interfaces }) => Object.entries(interfaces));

/** What calls get that may do nothing, by capability. */
const DENIED: ReadonlyMap<string, unknown> = new Map(
  GUEST_SIDES.map(({ capability, link }) => [capability, link?.denied]),
);

/** What a call may do with a capability that it may do nothing with. */
export function deniedPort(capability: string): unknown {
  return DENIED.get(capability);
}

/** A process's ends of what all capabilities say. */
export class GuestLinks {
  readonly #byCapability = new Map<string, GuestLink<unknown, unknown>>();
  /** By kind of message. */
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

  /** What a call may do with a capability. */
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
