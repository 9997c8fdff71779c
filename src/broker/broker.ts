/**
 * The host's side of a plugin's capabilities. Every single operation is checked here against what its version may do
 * at that moment, outside the plugin's process, before anything is touched: access level, then bucket, then the limits
 * on key and value, then the store; or access level, then what is in `http.ts`.
 *
 * Invariants: an operation that is not allowed never reaches the store, and one that was allowed and is no longer
 * brings nothing back; `perform` never rejects and settles before the request's deadline; what a plugin reads in an
 * error is a code and a safe sentence, never a host's name, a URL or a cause. The sender is not trusted: it is a process
 * that runs a stranger's code.
 *
 * @module
 */

import type { OperationResult, RunnerMessage } from "../channel/messages/messages.ts";
import { type AccessLevel, bitsFromLevels } from "../contract/access-levels.ts";
import type { HttpErrorCode, HttpExchange, HttpRequest, HttpSink } from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { PluginName } from "../contract/names.ts";
import type { OutboundHttp } from "../egress/outbound-http.ts";
import { type HostError, toHostError } from "../errors/host-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { KeyAddress, KeyValueStore, OperationOptions } from "../kv/store.ts";
import type { Authority, Terms } from "../policy/authority.ts";
import { HttpGate, NOTHING } from "./http.ts";
import { type AddressDecision, decideAddress, refused, type Refusal, refuseValue } from "./key-value.ts";

/** An operation of the store as a runner asks for it. */
export type StoreOperation = Extract<RunnerMessage, { kind: "kv-get" | "kv-set" }>;

/** What the broker knows and keeps of one request; one object for the whole of it. */
export interface OperationContext {
  /** Milliseconds until the request must be answered; 0 or less when its time is over. */
  remainingMs(): number;
  /** Time that the request's store operations took; the broker adds to it. */
  storeMs: number;
  /** An operation of the store failed for the request in a way that passes; the broker says so. */
  isAfterOutage: boolean;
  /** Is an operation of the store in flight? For the broker alone. */
  isBusy: boolean;
  /** Takes a line for the plugin's log. */
  note(text: string): void;
}

/** Performs the operations of one version of a plugin. */
export interface Broker {
  /**
   * Checks and performs an operation. Never rejects. A value that is to be set is passed on uncopied and must
   * not change any more; neither must a value that was got.
   */
  perform(operation: StoreOperation, context: OperationContext): Promise<OperationResult>;
  /** Checks and sends an outbound HTTP request. Never throws: what is wrong is told to the sink. */
  openHttp(request: HttpRequest, sink: HttpSink, context: OperationContext): HttpExchange;
  /** Ends the plugin's connections. Call it when the last of its requests is answered. */
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly plugin: PluginName;
  /** What the version may do; asked for each operation. */
  readonly authority: Authority;
  /** Not owned: it is closed by whoever opened it. */
  readonly store: KeyValueStore;
  /** Told of every operation that the store failed, for the log; must not throw. */
  readonly onStoreError: (error: HostError) => void;
  /** Told how each operation ended, for the counters; must not throw. */
  readonly onOperation: (operation: StoreOperation["kind"], outcome: "ok" | ErrorCode) => void;
  /** Told of each operation that goes to the store, by the plugin's name for the bucket; must not throw. */
  readonly onStoreUse: (operation: StoreOperation["kind"], name: string, address: KeyAddress) => void;
  readonly http: OutboundHttp;
  /** Told how each outbound HTTP request ended, for the counters; must not throw. */
  readonly onHttp: (outcome: "ok" | "aborted" | HttpErrorCode) => void;
  /** Told of each outbound HTTP request that is sent: its target (`scheme://host[:port]`) and method; must not throw. */
  readonly onHttpUse: (target: string, method: string) => void;
  /** Told of each address behind such a target's name that a policy has to name beside it; must not throw. */
  readonly onHttpAddress: (target: string, address: string) => void;
}

const LEVEL_OF = {
  "kv-get": "key-value-read",
  "kv-set": "key-value-write",
} as const satisfies Record<StoreOperation["kind"], AccessLevel>;

/**
 * Time that is kept back from an operation, so that the plugin can still answer when nobody else does: this much, or a quarter of what is left where that is less.
 */
const ANSWER_RESERVE_MS = 100;

/** Makes the broker of a version. */
export function createBroker(options: BrokerOptions): Broker {
  return new VersionBroker(options);
}

class VersionBroker implements Broker {
  readonly #options: BrokerOptions;
  readonly #http: HttpGate;

  constructor(options: BrokerOptions) {
    this.#options = options;
    const { authority, http, onHttp, onHttpUse, onHttpAddress } = options;
    this.#http = new HttpGate({
      authority,
      http,
      onEnd: onHttp,
      onSend: onHttpUse,
      onSpecialAddress: onHttpAddress,
    });
  }

  openHttp(request: HttpRequest, sink: HttpSink, context: OperationContext): HttpExchange {
    const { authority, onHttp } = this.#options;
    if (refuseLevel(authority.now, "outbound-http") !== undefined) {
      onHttp("HTTP-request-denied");
      sink.fail({ code: "HTTP-request-denied" });
      return NOTHING;
    }
    return this.#http.open(request, sink, {
      remainingMs: usableMs(context.remainingMs()),
      note: (text) => context.note(text),
    });
  }

  async close(): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  async perform(operation: StoreOperation, context: OperationContext): Promise<OperationResult> {
    const ended = await this.#perform(operation, context);
    this.#options.onOperation(operation.kind, ended.kind === "refused" ? ended.code : "ok");
    return ended.kind === "refused" ? { kind: "error", message: `${ended.code}: ${ended.reason}` } : ended;
  }

  async #perform(operation: StoreOperation, context: OperationContext): Promise<OperationResult | Refusal> {
    const terms = this.#options.authority.now;
    const decision = decideOperation(terms, operation);
    if (decision.kind === "refused") return decision;
    const timeoutMs = storeTimeoutMs(context.remainingMs());
    if (timeoutMs <= 0) return refused("deadline-exceeded", "the request's time is over.");
    // The contract's functions are synchronous, so a guest has one operation at a time; a runner that sends
    // more is broken, and must not make the host hold many large values.
    if (context.isBusy) return refused("overloaded", "another operation of this request has not ended yet.");
    context.isBusy = true;
    this.#options.onStoreUse(operation.kind, operation.bucket, decision.address);
    const startedAt = performance.now();
    const refusal = (): Refusal | undefined => this.#refusalSince(terms, operation, decision.address);
    try {
      const isWanted = (): boolean => refusal() === undefined;
      const result = await this.#callStore(operation, decision.address, {
        timeoutMs,
        caller: this.#options.plugin,
        isWanted,
      });
      // What was written is written. What was read is not handed out any more.
      return operation.kind === "kv-set" ? result : (refusal() ?? result);
    } catch (error) {
      const revoked = refusal();
      if (revoked !== undefined) return revoked;
      const failure = toHostError(error);
      this.#options.onStoreError(failure);
      context.isAfterOutage ||= failure.row.retryable;
      return refused(failure.code, failure.safeMessage);
    } finally {
      context.storeMs += performance.now() - startedAt;
      context.isBusy = false;
    }
  }

  /** Why an operation that was allowed under these terms is no longer. */
  #refusalSince(terms: Terms, operation: StoreOperation, address: KeyAddress): Refusal | undefined {
    const { now } = this.#options.authority;
    if (now === terms) return undefined;
    const decision = decideOperation(now, operation);
    if (decision.kind === "refused") return decision;
    const isSame =
      decision.address.namespace.kind === address.namespace.kind && decision.address.bucket === address.bucket;
    return isSame ? undefined : refused("access-denied", "the bucket's name stands for another one now.");
  }

  async #callStore(
    operation: StoreOperation,
    address: KeyAddress,
    options: OperationOptions,
  ): Promise<OperationResult | Refusal> {
    const { store, authority } = this.#options;
    if (operation.kind === "kv-set") {
      await store.set(address, operation.value, options);
      return { kind: "none" };
    }
    const value = await store.get(address, options);
    if (value === undefined) return { kind: "none" };
    // Another plugin with a wider limit may have written it to a shared bucket.
    return refuseValue(value, authority.now.limits) ?? { kind: "value", value };
  }
}

/** Which value an operation is about, or why it may not be performed. */
function decideOperation(terms: Terms, operation: StoreOperation): AddressDecision {
  const refusal = refuseLevel(terms, LEVEL_OF[operation.kind]);
  if (refusal !== undefined || terms.kind === "denied") return refusal ?? REVOKED;
  const decision = decideAddress(terms.grants, terms.limits, operation.bucket, operation.key);
  if (decision.kind === "refused" || operation.kind === "kv-get") return decision;
  return refuseValue(operation.value, terms.limits) ?? decision;
}

const REVOKED = refused("access-denied", "the policy no longer allows what the plugin requests.");

function refuseLevel(terms: Terms, level: AccessLevel): Refusal | undefined {
  if (terms.kind === "denied") return REVOKED;
  const bit = bitsFromLevels([level]);
  if (terms.grants.every(({ levels }) => (levels & bit) !== 0)) return undefined;
  return refused("access-denied", `the plugin's grant does not hold the access level ${level}.`);
}

function storeTimeoutMs(remainingMs: number): number {
  return Math.min(FIXED_LIMITS.storeOperationMs, usableMs(remainingMs));
}

/** What an operation may use of the time that is left. */
function usableMs(remainingMs: number): number {
  return Math.floor(remainingMs - Math.min(ANSWER_RESERVE_MS, remainingMs / 4));
}
