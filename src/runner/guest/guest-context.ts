/**
 * What one instance may do, and what is left of its budgets: the only way from a guest's imports to the rest of the runner.
 * A context is made with its instance, bound to the call that the instance serves, and retired when the call has ended. A
 * retired context sends and answers nothing, so a guest that still runs has no effect outside. When the instance is put
 * back to its first state, the context is renewed.
 *
 * It bounds open handles, random bytes and log bytes for each call. A capability's port enforces the capability's own
 * bounds.
 *
 * @module
 */

import { GUEST_LIMITS } from "../../contract/guest-limits.ts";
import { type DroppedLog, LogRate } from "../../contract/log-rate.ts";
import { GuestLog, type LogSink } from "./guest-log.ts";
import type { Namespace } from "./namespaces.ts";
import { createTrap } from "./trap.ts";

/** How many resources a guest may hold at a time. */
export const MAX_OPEN_HANDLES: number = GUEST_LIMITS.openHandles;

/** How many random bytes a guest may draw in a call. */
export const MAX_RANDOM_BYTES: number = GUEST_LIMITS.randomBytes;

/** The longest delay that a timer accepts; a longer sleep wakes up earlier and is repeated. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Provides an interface to guests: one namespace for all instances, or one made for each from its context. */
export type Provider = Namespace | ((context: GuestContext) => Namespace);

/** Names a capability's port of a call. Only the capability's guest side knows the type `Port`. */
export interface PortKey<Port> {
  readonly capability: string;
  /** Always absent: it ties the type to the key. */
  readonly port?: Port;
}

/** How a call left its instance: it returned by itself, or it was cut off by a trap, its deadline or a cancellation. */
export type CallEnding = "returned" | "cut-off";

/** The call that a context is bound to. */
export interface CallPort extends LogSink {
  /** The call's port of a capability: the same one each time. */
  capability(name: string): unknown;
  /** The guest broke a rule: ends the call as a trap, whatever the guest does next. Called at most once. */
  trapped(message: string): void;
}

type State =
  | { readonly kind: "unbound" }
  | { readonly kind: "bound"; readonly port: CallPort }
  | { readonly kind: "retired" };

/** The context of one instance. */
export class GuestContext {
  readonly #maxLogBytes: number;
  readonly #logRate: LogRate;
  /** Made on first use: most calls write no log. */
  #log: GuestLog | undefined;
  #state: State = { kind: "unbound" };
  #trapMessage: string | undefined;
  #openHandles = 0;
  /** Handles that the guest held before its call. */
  #firstHandles = 0;
  #randomBytesLeft = MAX_RANDOM_BYTES;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  /** `logRate` is the rate that all calls of the process share; without it, the context has one of its own. */
  constructor(maxLogBytes: number, logRate: LogRate = new LogRate()) {
    this.#maxLogBytes = maxLogBytes;
    this.#logRate = logRate;
  }

  /** The log of this call. */
  get log(): GuestLog {
    if (this.#log === undefined) {
      this.#log = new GuestLog(this.#maxLogBytes, this.#logRate);
      if (this.#state.kind === "bound") this.#log.attach(this.#state.port);
    }
    return this.#log;
  }

  /** Ends the log of this call. Returns what was dropped, if anything was. Call it once. */
  finishLog(): DroppedLog | undefined {
    // This call also reports the lines that earlier calls missed.
    return this.#log === undefined && !this.#logRate.hasMissed ? undefined : this.log.finish();
  }

  /** Why the host trapped the guest; `undefined` where it did not. */
  get trapMessage(): string | undefined {
    return this.#trapMessage;
  }

  /** Connects the instance with its call. Called once for each call, before the guest's export. */
  bind(port: CallPort): void {
    this.#state = { kind: "bound", port };
    this.#firstHandles = this.#openHandles;
    this.#log?.attach(port);
  }

  /** Cuts the instance off from everything outside. Idempotent. */
  retire(): void {
    this.#state = { kind: "retired" };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wake = undefined;
  }

  /**
   * After {@link retire}: resets the context for the next call. Only for an instance that has been put back to its first
   * state, which no longer has the handles that it opened in the call.
   */
  renew(): void {
    this.#state = { kind: "unbound" };
    this.#log = undefined;
    this.#openHandles = this.#firstHandles;
    this.#randomBytesLeft = MAX_RANDOM_BYTES;
  }

  /** Like {@link renew}, for an instance that was put back to its state before its start functions: it holds no handles. */
  reset(): void {
    this.#firstHandles = 0;
    this.renew();
  }

  /** The call's port of a capability; `undefined` without a call. */
  port<Port>({ capability }: PortKey<Port>): Port | undefined {
    return this.#state.kind === "bound" ? (this.#state.port.capability(capability) as Port) : undefined;
  }

  /**
   * Ends the call as a trap and returns the error to throw. The call ends here and not where the error arrives, because
   * generated code loses some errors on the way.
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

  /** Counts a resource that the guest gets; {@link closeHandle} is called when the guest drops it. Traps beyond the bound. */
  openHandle(): void {
    this.#openHandles += 1;
    if (this.#openHandles > MAX_OPEN_HANDLES) throw this.trap(`more than ${MAX_OPEN_HANDLES} open handles`);
  }

  closeHandle(): void {
    this.#openHandles -= 1;
  }

  /** Takes `bytes` from the budget of random bytes, and returns that number. Traps beyond the budget. */
  drawRandom(bytes: bigint): number {
    if (bytes > BigInt(this.#randomBytesLeft)) throw this.trap(`more than ${MAX_RANDOM_BYTES} random bytes`);
    this.#randomBytesLeft -= Number(bytes);
    return Number(bytes);
  }

  /**
   * Resolves after about `delayMs` milliseconds, or earlier: where the delay is very long, or when something arrives for the
   * guest. Stays pending once the context is retired. A guest has one thread, so at most one sleep is pending at a time.
   */
  sleep(delayMs: number): Promise<void> {
    if (this.#state.kind === "retired") return pendingForEver();
    return new Promise((resolve) => {
      clearTimeout(this.#timer);
      this.#wake = resolve;
      if (delayMs !== Infinity) this.#timer = setTimeout(() => this.wake(), Math.min(delayMs, MAX_TIMER_MS));
    });
  }

  /** Something arrived that the guest may be waiting for: ends its sleep, so that it looks again. */
  wake(): void {
    clearTimeout(this.#timer);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when the condition holds. It is evaluated again whenever something arrives for the guest. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.sleep(Infinity);
  }
}

/** For a guest whose call gets no answer any more. */
export function pendingForEver(): Promise<never> {
  return new Promise(() => undefined);
}
