/**
 * What one instance may do and has left to spend: the only way from a guest's imports to the rest of the
 * runner. A context is made with its instance, bound to the call that the instance serves, and retired when
 * the call has ended; a retired context sends nothing and answers nothing, so that a guest that still runs
 * reaches nobody. Where the instance is put back to its first state, the context is renewed with it.
 *
 * Bounds: open handles, random bytes and log bytes, each per instance, which is per call. What a capability bounds besides, its
 * port of the call does.
 *
 * @module
 */

import { GUEST_LIMITS } from "../../contract/guest-limits.ts";
import { type DroppedLog, LogRate } from "../../contract/log-rate.ts";
import { GuestLog, type LogSink } from "./guest-log.ts";
import type { Namespace } from "./namespaces.ts";
import { createTrap } from "./trap.ts";

/** Resources that a guest may hold at a time. */
export const MAX_OPEN_HANDLES: number = GUEST_LIMITS.openHandles;

/** Random bytes that a guest may draw. */
export const MAX_RANDOM_BYTES: number = GUEST_LIMITS.randomBytes;

/** The longest delay that a timer takes; longer waits wake up in between. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What an interface gives to guests: one namespace for all instances, or one made for each from its context. */
export type Provider = Namespace | ((context: GuestContext) => Namespace);

/** Names what a call may do with a capability; `Port` is known to the capability's guest side alone. */
export interface PortKey<Port> {
  readonly capability: string;
  /** Never there: it ties the type to the key. */
  readonly port?: Port;
}

/** How a call left its instance: by itself, or in the middle of things (a trap, a deadline, a cancellation). */
export type CallEnding = "returned" | "cut-off";

/** The call that a context is bound to. */
export interface CallPort extends LogSink {
  /** What the call may do with a capability: the same each time. */
  capability(name: string): unknown;
  /** The guest broke a rule: the call ends as a trap, whatever the guest makes of it. Called at most once. */
  trapped(message: string): void;
}

type State =
  | { readonly kind: "unbound" }
  | { readonly kind: "bound"; readonly port: CallPort }
  | { readonly kind: "retired" };

export class GuestContext {
  readonly #maxLogBytes: number;
  readonly #logRate: LogRate;
  /** Most guests say nothing in most calls. */
  #log: GuestLog | undefined;
  #state: State = { kind: "unbound" };
  #trapMessage: string | undefined;
  #openHandles = 0;
  /** Handles that the guest held before its call. */
  #firstHandles = 0;
  #randomBytesLeft = MAX_RANDOM_BYTES;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  /** `logRate` is what all calls of the process share; without it the context has one for itself. */
  constructor(maxLogBytes: number, logRate: LogRate = new LogRate()) {
    this.#maxLogBytes = maxLogBytes;
    this.#logRate = logRate;
  }

  /** What the guest says in this call. */
  get log(): GuestLog {
    if (this.#log === undefined) {
      this.#log = new GuestLog(this.#maxLogBytes, this.#logRate);
      if (this.#state.kind === "bound") this.#log.attach(this.#state.port);
    }
    return this.#log;
  }

  /** Ends what the guest says in this call. Tells what of it was dropped, if anything was; once. */
  finishLog(): DroppedLog | undefined {
    // Lines that calls before it have missed are told by the next one.
    return this.#log === undefined && !this.#logRate.hasMissed ? undefined : this.log.finish();
  }

  /** Why the guest was trapped by the host, if it was. */
  get trapMessage(): string | undefined {
    return this.#trapMessage;
  }

  /** Connects the instance with its call. Once a call, before its export is called. */
  bind(port: CallPort): void {
    this.#state = { kind: "bound", port };
    this.#firstHandles = this.#openHandles;
    this.#log?.attach(port);
  }

  /** Cuts the instance off. Idempotent. */
  retire(): void {
    this.#state = { kind: "retired" };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wake = undefined;
  }

  /**
   * After {@link retire}: as it was before the call, for the next one. Only for an instance that has been put
   * back to its first state; what it opened in the call is forgotten with its handles.
   */
  renew(): void {
    this.#state = { kind: "unbound" };
    this.#log = undefined;
    this.#openHandles = this.#firstHandles;
    this.#randomBytesLeft = MAX_RANDOM_BYTES;
  }

  /** What the guest's call may do with a capability; `undefined` where there is no call. */
  port<Port>({ capability }: PortKey<Port>): Port | undefined {
    return this.#state.kind === "bound" ? (this.#state.port.capability(capability) as Port) : undefined;
  }

  /**
   * Ends the call as a trap and returns the error to throw. The call is ended here and not where the error
   * arrives, since generated code loses some on the way.
   */
  trap(message: string): Error {
    if (this.#trapMessage === undefined) {
      this.#trapMessage = message;
      if (this.#state.kind === "bound") this.#state.port.trapped(message);
    }
    return createTrap(message);
  }

  /** Like {@link trap}, for imports that must not reject: the guest waits for ever instead. */
  trapPending(message: string): Promise<never> {
    this.trap(message);
    return pendingForEver();
  }

  /** Counts a resource that is handed to the guest; {@link closeHandle} is called when the guest drops it. */
  openHandle(): void {
    this.#openHandles += 1;
    if (this.#openHandles > MAX_OPEN_HANDLES) throw this.trap(`more than ${MAX_OPEN_HANDLES} open handles`);
  }

  closeHandle(): void {
    this.#openHandles -= 1;
  }

  /** Takes `bytes` from the budget of random bytes. */
  drawRandom(bytes: bigint): number {
    if (bytes > BigInt(this.#randomBytesLeft)) throw this.trap(`more than ${MAX_RANDOM_BYTES} random bytes`);
    this.#randomBytesLeft -= Number(bytes);
    return Number(bytes);
  }

  /**
   * Resolves after about `delayMs`, or earlier: for a very long one, or because something arrived for the guest.
   * Pending for ever once the context is retired. A guest has one thread, so there is at most one sleep at a time.
   */
  sleep(delayMs: number): Promise<void> {
    if (this.#state.kind === "retired") return pendingForEver();
    return new Promise((resolve) => {
      clearTimeout(this.#timer);
      this.#wake = resolve;
      if (delayMs !== Infinity) this.#timer = setTimeout(() => this.wake(), Math.min(delayMs, MAX_TIMER_MS));
    });
  }

  /** Something arrived that the guest may be waiting for: it looks again. */
  wake(): void {
    clearTimeout(this.#timer);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when the condition holds; it is looked at again whenever something arrives for the guest. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.sleep(Infinity);
  }
}

/** What a guest waits for that nobody is going to answer. */
export function pendingForEver(): Promise<never> {
  return new Promise(() => undefined);
}
