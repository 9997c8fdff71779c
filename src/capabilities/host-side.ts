/**
 * The host side of a capability. Its link is the host's end of the messages with one runner: it bounds what the host holds
 * for that process, which it does not trust. Its gate is for one version of a plugin: outside the plugin's process, it
 * checks every single operation against what the version may do at that moment, and then acts.
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

/** One capability's host side. `Message` is what a runner sends it. */
export interface HostSide<Message = unknown, Gate extends CapabilityGate = CapabilityGate> {
  readonly capability: string;
  openLink(parts: LinkOptions): HostLink<Message>;
  createGate(parts: GateOptions): Gate;
}

/** Names a capability's gate. Only the capability's host side knows the type `Gate`. */
export interface GateKey<Gate> {
  readonly capability: string;
  /** Always absent: it ties the type to the key. */
  readonly gate?: Gate;
}

/** Checks and performs the operations of one version of a plugin. */
export interface CapabilityGate {
  /** Releases what the gate holds. Call it when the last request of the version is answered. */
  close(): Promise<void>;
}

/** What gates know and note of one request: one object for all its operations. */
export interface OperationContext {
  /** Milliseconds until the request's deadline; 0 or less after it. */
  remainingMs(): number;
  /** Milliseconds that the request's store operations took; their gate adds to it. */
  storeMs: number;
  /** Has an operation of the store failed for the request, with an error that may pass? Set by its gate. */
  isAfterOutage: boolean;
  /** Is an operation of the store in flight? For its gate alone. */
  isBusy: boolean;
  /** Takes a line for the plugin's log. */
  note(text: string): void;
}

/** A call that was not cancelled, and the gates of its version. */
export interface BrokeredCall extends OperationContext {
  gate<Gate>(key: GateKey<Gate>): Gate;
}

/** The drivers that gates act through, but do not own. */
export interface Drivers {
  readonly store: KeyValueStore;
  readonly http: OutboundHttp;
}

/** What a gate is made of. No callback may throw. */
export interface GateOptions {
  readonly plugin: PluginName;
  /** What the version may do; read anew for each operation. */
  readonly authority: Authority;
  readonly drivers: Drivers;
  /** Called with the outcome of each operation. */
  readonly count: (operation: string, outcome: string) => void;
  /** Takes the buckets and targets of the operations that were allowed. */
  readonly uses: UseSink;
  /** Called for every operation that failed in a driver, for the log. */
  readonly onDriverError: (error: HostError) => void;
}

/** Notes uses of what policies name. */
export interface UseSink {
  /** An operation used a bucket that the plugin calls `name` and whose own name is `bucket`. */
  countBucket(operation: "get" | "set", kind: "private" | "shared", name: string, bucket: BucketName): void;
  /** A request was sent to a target: `scheme://host[:port]`. */
  countHost(target: string, method: string): void;
  /** A target's name resolved to an address that a policy must name as well. */
  noteAddress(target: string, address: string): void;
}

/** A runner's calls, as far as links need them. */
export interface LinkCalls {
  /** The call of a runner's message; `undefined` where it was cancelled, a violation where it is not in flight. */
  use(call: number): BrokeredCall | undefined | Violation;
  /** Like {@link use}, but not on behalf of a message: so it is never a violation. */
  listener(call: number): BrokeredCall | undefined;
  /** Counts an operation of a call: the number in flight is bounded. {@link endOperation} must follow. */
  beginOperation(call: number): Violation | undefined;
  endOperation(call: number): void;
}

/** What a link needs from its runner's connection. */
export interface LinkOptions {
  readonly calls: LinkCalls;
  readonly transfers: TransferShare;
  /** Sends a message, which costs the plugin `workMs` of its share of the host's thread. */
  readonly send: (message: CapabilityToGuest, workMs: number) => void;
  /** Bytes that were sent and that the runner has not taken. */
  readonly bufferedBytes: () => number;
}

/** The host's end of a capability's messages with a runner. A link without state for each call has only `receive`. */
export interface HostLink<Message> {
  /** Acts on a message of the runner. Returns a violation where the runner may not send it. */
  receive(message: Message): Violation | undefined;
  /** The host has cancelled a call. Messages of it may still be in flight: {@link forgetCall} follows. */
  cancelCall?(call: number): void;
  /** No message of a cancelled call can arrive any more. */
  forgetCall?(call: number): void;
  /** The runner has ended a call, and sends nothing more of it. */
  endCall?(call: number): void;
  /** The runner has ended. */
  endAll?(): void;
}
