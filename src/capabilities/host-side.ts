/**
 * What a capability's host side is. Its link is its end of the conversation with one runner: it bounds what the host holds
 * for that process, which it does not trust. Its gate is for one version of a plugin: it checks every single operation
 * against what the version may do at that moment, outside the plugin's process, and then acts.
 *
 * @module
 */

import type { Violation } from "../channel/violation.ts";
import type { BucketName, PluginName } from "../contract/names.ts";
import type { OutboundHttp } from "../egress/outbound-http.ts";
import type { HostError } from "../errors/host-error.ts";
import type { TransferShare } from "../fairness/transfer-share.ts";
import type { KeyValueStore } from "../kv/store.ts";
import type { Authority } from "../policy/authority.ts";
import type { CapabilityToGuest } from "./capabilities.ts";

export interface HostSide<Message = unknown, Gate extends CapabilityGate = CapabilityGate> {
  readonly capability: string;
  openLink(parts: LinkParts): HostLink<Message>;
  createGate(parts: GateParts): Gate;
}

/** Names a capability's gate; `Gate` is known to its host side alone. */
export interface GateKey<Gate> {
  readonly capability: string;
  /** Never there: it ties the type to the key. */
  readonly gate?: Gate;
}

/** What one version of a plugin may do. */
export interface CapabilityGate {
  /** Ends what it holds. Call it when the last request of the version is answered. */
  close(): Promise<void>;
}

/** What gates keep of one request; one object for the whole of it. */
export interface OperationContext {
  /** Milliseconds until the request must be answered; 0 or less when its time is over. */
  remainingMs(): number;
  /** Time that the request's store operations took; their gate adds to it. */
  storeMs: number;
  /** An operation of the store failed for the request in a way that passes; its gate says so. */
  isAfterOutage: boolean;
  /** Is an operation of the store in flight? For its gate alone. */
  isBusy: boolean;
  /** Takes a line for the plugin's log. */
  note(text: string): void;
}

/** A call that somebody waits for, and the gates of its version. */
export interface BrokeredCall extends OperationContext {
  gate<Gate>(key: GateKey<Gate>): Gate;
}

/** The drivers that gates act through; not theirs. */
export interface Drivers {
  readonly store: KeyValueStore;
  readonly http: OutboundHttp;
}

/** What a gate is made of. All callbacks must not throw. */
export interface GateParts {
  readonly plugin: PluginName;
  /** What the version may do; asked for each operation. */
  readonly authority: Authority;
  readonly drivers: Drivers;
  /** Told how each operation ended. */
  readonly count: (operation: string, outcome: string) => void;
  /** Told what the operations were for that were let through. */
  readonly uses: UseSink;
  /** Told of every operation that a driver failed, for the log. */
  readonly onDriverError: (error: HostError) => void;
}

/** What policies name, as it is used. */
export interface UseSink {
  /** An operation went to a bucket that the plugin calls `name` and whose own name is `bucket`. */
  countBucket(operation: "get" | "set", kind: "private" | "shared", name: string, bucket: BucketName): void;
  /** A request was sent to a target: `scheme://host[:port]`. */
  countHost(target: string, method: string): void;
  /** A target's name led to an address that a policy has to name beside it. */
  noteAddress(target: string, address: string): void;
}

/** The calls of a runner, as links need them. */
export interface LinkCalls {
  /** Who waits for a call that the runner speaks of, if anybody still does; a violation where it is not in flight. */
  use(call: number): BrokeredCall | undefined | Violation;
  /** As {@link use}, without a word of the runner. */
  listener(call: number): BrokeredCall | undefined;
  /** Counts an operation of a call, whose number in flight is bounded; {@link endOperation} follows. */
  beginOperation(call: number): Violation | undefined;
  endOperation(call: number): void;
}

/** What a link needs of its runner. */
export interface LinkParts {
  readonly calls: LinkCalls;
  readonly transfers: TransferShare;
  /** Sends a message, which costs the plugin so much of its share of the host's thread. */
  readonly send: (message: CapabilityToGuest, workMs: number) => void;
  /** Bytes that were sent and that the runner has not read. */
  readonly bufferedBytes: () => number;
}

/** The host's end of what a capability says between host and runner. One that keeps nothing by call has `receive` alone. */
export interface HostLink<Message> {
  /** Acts on what the runner says; a violation where it may not say so. */
  receive(message: Message): Violation | undefined;
  /** Nobody waits for a call any more. What the runner still says of it may be on its way: {@link forgetCall} follows. */
  cancelCall?(call: number): void;
  /** Nothing of a call can come any more. */
  forgetCall?(call: number): void;
  /** The runner has ended a call, and says nothing more of it. */
  endCall?(call: number): void;
  /** The runner is gone. */
  endAll?(): void;
}
