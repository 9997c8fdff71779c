/**
 * What callers may set, and the bounds of it.
 *
 * @module
 */

/** How long a call may take where nothing is said, in milliseconds; the default deadline of plugins. */
const DEFAULT_TIMEOUT_MS = 5_000;

/** The longest time that timers of JavaScript hold. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** Tries of a call where nothing is said, the first included. */
export const DEFAULT_MAX_TRIES = 10;

/** What a client does at each call unless the call says otherwise. */
export interface ClientOptions {
  /** The time budget of a call, all tries and waits included: 1 to 2147483647 ms. 5000 unless given. */
  readonly timeoutMs?: number;
  /** The most tries of a call, the first included. 10 unless given; 1 is never to try again. */
  readonly maxTries?: number;
  /** Called once for each call: further headers, such as those of a trace (`traceparent`, `tracestate`). */
  readonly headers?: () => Readonly<Record<string, string>>;
}

/** What one call does differently. */
export interface CallOptions extends Omit<ClientOptions, "headers"> {
  /** The request's id, in the reply and in the replica's log: 1 to 128 visible ASCII characters. A random UUID unless given. */
  readonly id?: string;
  /** Ends the wait; the call then rejects with the signal's reason. What the plugin has begun goes on. */
  readonly signal?: AbortSignal;
  /** Further headers of the request, such as `traceparent`. They win over those of the client. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * It does no harm if the plugin does the work twice. A retryable failure is then tried again even if a part of the work, or
   * all of it, may have been done. False unless given.
   */
  readonly isIdempotent?: boolean;
  /** Try again within the time budget while no replica serves the plugin, rather than fail at once. False unless given. */
  readonly waitForReplica?: boolean;
}

/** The time budget of a call. Throws `RangeError` where it cannot be one. */
export function timeoutOf(timeoutMs = DEFAULT_TIMEOUT_MS): number {
  if (timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw new RangeError(`timeoutMs is ${timeoutMs}, and not 1 to ${MAX_TIMEOUT_MS}`);
}
