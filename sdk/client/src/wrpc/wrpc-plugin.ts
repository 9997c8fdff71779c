/**
 * A plugin as an object with the two functions of its contract. Each is one invocation over wRPC: nothing is tried again.
 *
 * A call settles once, within its time budget: with the plugin's reply, with a {@link CallError}, or with the reason of the
 * caller's signal.
 *
 * @module
 */

import { CallError, type Failure, failureOf } from "../call-error.ts";
import { bytesOf, type Payload } from "../payload.ts";
import { createReply, type Reply } from "../reply.ts";
import { isMethodShort, problemOfId } from "../names.ts";
import { timeoutOf } from "../options.ts";
import { METHOD_MAX_BYTES } from "../protocol.ts";
import { type AccessLevel, decodeLevels, decodeResponse, encodeRequest } from "./handler-values.ts";
import { orAborted } from "../waiting.ts";
import type { Invoked, WrpcTransport } from "./transport.ts";

/** What one call does differently. */
export interface WrpcCallOptions {
  /** The time budget of the call: 1 to 2147483647 ms. 5000 unless given. The replica's own deadline counts, too. */
  readonly timeoutMs?: number;
  /** The request's id, for the replica's log: 1 to 128 visible ASCII characters. A random UUID unless given. */
  readonly id?: string;
  /** Ends the wait; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What all calls share. */
export interface WrpcPluginOptions {
  /** The time budget of a call. 5000 ms unless given. */
  readonly timeoutMs?: number;
  /** The most bytes of a result; a longer one is a failure. 17 MiB unless given, more than a replica sends. */
  readonly maxResultBytes?: number;
}

const DEFAULT_MAX_RESULT_BYTES = 17 * 1024 * 1024;

const HANDLE_REQUEST = "handle-request";
const GET_ACCESS_LEVELS = "get-access-levels";

/** A call under way. */
interface Call {
  readonly method: string;
  readonly id: string;
}

/** Calls one plugin over wRPC; see `wrpcOverTcp` and `wrpcOverNats`. */
export class WrpcPlugin {
  readonly #transport: WrpcTransport;
  readonly #options: WrpcPluginOptions;

  /** @throws RangeError where an option is out of its range. */
  constructor(transport: WrpcTransport, options: WrpcPluginOptions) {
    this.#transport = transport;
    this.#options = options;
    timeoutOf(options.timeoutMs);
  }

  /**
   * Sends one request to the plugin and waits for its reply. A status of 400 or more is a reply, too.
   *
   * @param method the empty text where the plugin needs none
   */
  async handleRequest(method: string, payload: Payload = "", options: WrpcCallOptions = {}): Promise<Reply> {
    const { id = crypto.randomUUID() } = options;
    const call = { method, id };
    const problem = problemOf(call);
    if (problem !== undefined) throw this.#error(failureOf("bad-request", problem), call, 0);
    const params = encodeRequest({ id, method, payload: bytesOf(payload) });
    const result = decodeResponse(await this.#invoke(HANDLE_REQUEST, params, call, options));
    if (result.kind === "failed") throw this.#error(result.failure, call, 1);
    return createReply(result, id, 1);
  }

  /** The access levels that the plugin asks for. */
  async accessLevels(options: Omit<WrpcCallOptions, "id"> = {}): Promise<readonly AccessLevel[]> {
    const call = { method: GET_ACCESS_LEVELS, id: "none" };
    const result = decodeLevels(await this.#invoke(GET_ACCESS_LEVELS, [], call, options));
    if (result.kind === "failed") throw this.#error(result.failure, call, 1);
    return result.levels;
  }

  /** The bytes of the result. */
  async #invoke(
    func: string,
    params: readonly Uint8Array[],
    call: Call,
    options: WrpcCallOptions,
  ): Promise<Uint8Array> {
    const timeoutMs = timeoutOf(options.timeoutMs ?? this.#options.timeoutMs);
    const { signal: given } = options;
    given?.throwIfAborted();
    const maxResultBytes = this.#options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES;
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<Invoked>((resolve) => {
      const failure = failureOf("deadline-exceeded", `no result within ${timeoutMs} ms`);
      timer = setTimeout(() => resolve({ kind: "failed", failure }), timeoutMs);
    });
    try {
      const invoked = this.#transport.invoke({ func, params, maxResultBytes, signal: ending.signal });
      const outcome = await orAborted(Promise.race([invoked, over]), given);
      if (outcome.kind === "failed") throw this.#error(outcome.failure, call, 1);
      return outcome.bytes;
    } finally {
      clearTimeout(timer);
      ending.abort();
    }
  }

  #error(failure: Failure, { method, id }: Call, tries: number): CallError {
    return new CallError(failure, { plugin: this.#transport.plugin, method, id, tries });
  }
}

function problemOf({ method, id }: Call): string | undefined {
  return isMethodShort(method) ? problemOfId(id) : `a method has at most ${METHOD_MAX_BYTES} bytes`;
}
