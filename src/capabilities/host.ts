/**
 * The host sides of all capabilities: one line for each. Never imports a guest side.
 *
 * @module
 */

import type { Violation } from "../channel/violation.ts";
import { CAPABILITIES, type CapabilityToHost } from "./capabilities.ts";
import type { CapabilityGate, GateKey, GateOptions, HostLink, HostSide, LinkOptions } from "./host-side.ts";
import { KEY_VALUE_HOST } from "./key-value/host/side.ts";
import { OUTBOUND_HTTP_HOST } from "./outbound-http/host/side.ts";

const HOST_SIDES: readonly HostSide[] = [KEY_VALUE_HOST, OUTBOUND_HTTP_HOST];

/** One runner's links of all capabilities. */
export class HostLinks {
  readonly #all: readonly HostLink<unknown>[];
  /** The link that takes each kind of message. */
  readonly #receivers = new Map<string, HostLink<unknown>>();

  constructor(parts: LinkOptions) {
    const links = new Map(HOST_SIDES.map((side) => [side.capability, side.openLink(parts)]));
    this.#all = [...links.values()];
    for (const { name, messages } of CAPABILITIES) {
      const link = links.get(name);
      if (link !== undefined) for (const kind of Object.keys(messages.toHost)) this.#receivers.set(kind, link);
    }
  }

  /** See {@link HostLink}, also for the other methods. */
  receive(message: CapabilityToHost): Violation | undefined {
    return this.#receivers.get(message.kind)?.receive(message);
  }

  cancelCall(call: number): void {
    for (const link of this.#all) link.cancelCall?.(call);
  }

  forgetCall(call: number): void {
    for (const link of this.#all) link.forgetCall?.(call);
  }

  endCall(call: number): void {
    for (const link of this.#all) link.endCall?.(call);
  }

  endAll(): void {
    for (const link of this.#all) link.endAll?.();
  }
}

/** What the gates of a version are made of. */
export interface GatesOptions extends Omit<GateOptions, "count"> {
  /** Called with the outcome of each operation of a capability; must not throw. */
  readonly count: (capability: string, operation: string, outcome: string) => void;
}

/** One version's gates of all capabilities. */
export class Gates {
  readonly #all: ReadonlyMap<string, CapabilityGate>;

  constructor({ count, ...parts }: GatesOptions) {
    this.#all = new Map(
      HOST_SIDES.map((side) => {
        const counted: GateOptions["count"] = (operation, outcome) => count(side.capability, operation, outcome);
        return [side.capability, side.createGate({ ...parts, count: counted })];
      }),
    );
  }

  of<Gate>({ capability }: GateKey<Gate>): Gate {
    return this.#all.get(capability) as Gate;
  }

  /** Releases what the gates hold. Call it when the last request of the version is answered. */
  async close(): Promise<void> {
    await Promise.all([...this.#all.values()].map((gate) => gate.close()));
  }
}
