/**
 * The client: one for each connection, for all plugins.
 *
 * It opens, closes and changes nothing of the connection. A call settles once, within its time budget: with the plugin's
 * reply, with a {@link CallError}, or with the reason of the caller's signal.
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { attempt } from "./attempt.ts";
import { CallError, type Failure } from "./call-error.ts";
import { type CallOptions, type ClientOptions, DEFAULT_MAX_TRIES, timeoutOf } from "./options.ts";
import { bytesOf, type Payload } from "./payload.ts";
import { createReply, type Reply } from "./reply.ts";
import { type CallRequest, createRequest } from "./request.ts";
import { type RetryPolicy, retryDelayMs } from "./retry.ts";
import { RetryTokens } from "./retry-tokens.ts";
import { wait } from "./waiting.ts";

/** A call under way. */
interface Call {
  readonly plugin: string;
  readonly method: string;
  readonly id: string;
  readonly endMs: number;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal | undefined;
}

/** Calls plugins over a connection that stays the caller's. */
export class PluginClient {
  readonly #connection: NatsConnection;
  readonly #options: ClientOptions;
  readonly #tokens = new RetryTokens();

  /** @throws RangeError where an option is out of its range. */
  constructor(connection: NatsConnection, options: ClientOptions = {}) {
    this.#connection = connection;
    this.#options = options;
    timeoutOf(options.timeoutMs);
    triesOf(options.maxTries);
  }

  /**
   * Sends one request to a plugin and waits for its reply. A status of 400 or more is a reply, too.
   *
   * Rejects with a {@link CallError} where the plugin did not answer, with the signal's reason where that ended the call, and
   * with a RangeError where an option is out of its range.
   *
   * @param method the empty text where the plugin needs none
   */
  async call(plugin: string, method: string, payload: Payload = "", options: CallOptions = {}): Promise<Reply> {
    const timeoutMs = timeoutOf(options.timeoutMs ?? this.#options.timeoutMs);
    const maxTries = triesOf(options.maxTries ?? this.#options.maxTries);
    const { id = crypto.randomUUID(), isIdempotent = false, waitForReplica = false, signal } = options;
    signal?.throwIfAborted();
    const headers = { ...this.#options.headers?.(), ...options.headers };
    const request = createRequest({ plugin, method, id, payload: bytesOf(payload), headers });
    if ("code" in request) throw new CallError(request, { plugin, method, id, tries: 0 });
    const policy = { maxTries, isIdempotent, waitForReplica };
    return this.#run(request, { plugin, method, id, policy, signal, endMs: performance.now() + timeoutMs });
  }

  async #run(request: CallRequest, call: Call): Promise<Reply> {
    const { plugin, id, endMs, signal } = call;
    for (let tries = 1; ; tries += 1) {
      const leftMs = Math.max(1, Math.floor(endMs - performance.now()));
      const outcome = await attempt(this.#connection, request, leftMs, signal);
      if (outcome.kind === "answered") {
        this.#tokens.giveBack(plugin);
        return createReply(outcome, id, tries);
      }
      await this.#waitToRetry(outcome.failure, call, tries);
    }
  }

  /** Rejects where the call is not to be tried again. */
  async #waitToRetry(failure: Failure, call: Call, tries: number): Promise<void> {
    const leftMs = call.endMs - performance.now();
    const delayMs = retryDelayMs(failure, call.policy, { tries, leftMs }, Math.random());
    if (delayMs === undefined || !this.#tokens.take(call.plugin)) throw new CallError(failure, { ...call, tries });
    await wait(delayMs, call.signal);
  }
}

function triesOf(maxTries = DEFAULT_MAX_TRIES): number {
  if (Number.isInteger(maxTries) && maxTries >= 1) return maxTries;
  throw new RangeError(`maxTries is ${maxTries}, and not a whole number of 1 or more`);
}
