/**
 * The gate of one version of a plugin to the key-value store. It checks every operation against what the version may do at
 * that moment: access level, then bucket, then the limits on key and value. Only then it calls the store.
 *
 * Invariants: an operation that is not allowed never reaches the store, and one that ceases to be allowed meanwhile returns
 * no value; `perform` never rejects and settles before the request's deadline; an error for a plugin is a code and a safe
 * sentence, never a host's name, a URL or a cause. The sender is not trusted: it is a process that runs untrusted code.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../../contract/limits.ts";
import { toHostError } from "../../../errors/host-error.ts";
import type { KeyAddress, OperationOptions } from "../../../kv/store.ts";
import type { Terms } from "../../../policy/authority.ts";
import { refused, refuseLevel, type Refusal, REVOKED, usableMs } from "../../host-check.ts";
import type { CapabilityGate, GateKey, GateOptions, OperationContext } from "../../host-side.ts";
import { KEY_VALUE } from "../definition.ts";
import type { KeyValueOperation, KeyValueResult } from "../messages.ts";
import { type AddressDecision, decideAddress, refuseValue } from "./address.ts";

export const KEY_VALUE_GATE: GateKey<KeyValueGate> = { capability: KEY_VALUE.name };

/** Checks and performs the key-value operations of one version. */
export class KeyValueGate implements CapabilityGate {
  readonly #parts: GateOptions;

  constructor(parts: GateOptions) {
    this.#parts = parts;
  }

  /**
   * Checks and performs an operation. Never rejects. A value to set is passed on without a copy and must not change
   * afterwards; neither must a value that is returned.
   */
  async perform(operation: KeyValueOperation, context: OperationContext): Promise<KeyValueResult> {
    const ended = await this.#perform(operation, context);
    this.#parts.count(operation.kind, ended.kind === "refused" ? ended.code : "ok");
    return ended.kind === "refused" ? { kind: "error", message: `${ended.code}: ${ended.reason}` } : ended;
  }

  async close(): Promise<void> {
    // The gate does not own the store.
  }

  async #perform(operation: KeyValueOperation, context: OperationContext): Promise<KeyValueResult | Refusal> {
    const terms = this.#parts.authority.now;
    const decision = decideOperation(terms, operation);
    if (decision.kind === "refused") return decision;
    const { address } = decision;
    const timeoutMs = Math.min(FIXED_LIMITS.storeOperationMs, usableMs(context.remainingMs()));
    if (timeoutMs <= 0) return refused("deadline-exceeded", "the request's time is over.");
    // The contract's functions are synchronous, so a guest has one operation at a time. A runner that sends more
    // is broken, and must not make the host hold many large values.
    if (context.isBusy) return refused("overloaded", "another operation of this request has not ended yet.");
    context.isBusy = true;
    const { plugin, uses, onDriverError } = this.#parts;
    uses.countBucket(operation.kind, address.namespace.kind, operation.bucket, address.bucket);
    const startedAt = performance.now();
    const refusal = (): Refusal | undefined => this.#refusalSince(terms, operation, address);
    try {
      const isWanted = (): boolean => refusal() === undefined;
      const result = await this.#callStore(operation, address, { timeoutMs, caller: plugin, isWanted });
      // A write has happened and stays. A value that was read is withheld.
      return operation.kind === "set" ? result : (refusal() ?? result);
    } catch (error) {
      const revoked = refusal();
      if (revoked !== undefined) return revoked;
      const failure = toHostError(error);
      onDriverError(failure);
      context.isAfterOutage ||= failure.row.retryable;
      return refused(failure.code, failure.safeMessage);
    } finally {
      context.storeMs += performance.now() - startedAt;
      context.isBusy = false;
    }
  }

  /** Why an operation that was allowed under these terms is no longer allowed; `undefined` where it is. */
  #refusalSince(terms: Terms, operation: KeyValueOperation, address: KeyAddress): Refusal | undefined {
    const { now } = this.#parts.authority;
    if (now === terms) return undefined;
    const decision = decideOperation(now, operation);
    if (decision.kind === "refused") return decision;
    const isSame =
      decision.address.namespace.kind === address.namespace.kind && decision.address.bucket === address.bucket;
    return isSame ? undefined : refused("access-denied", "the bucket's name stands for another one now.");
  }

  async #callStore(
    operation: KeyValueOperation,
    address: KeyAddress,
    options: OperationOptions,
  ): Promise<KeyValueResult | Refusal> {
    const { drivers, authority } = this.#parts;
    if (operation.kind === "set") {
      await drivers.store.set(address, operation.value, options);
      return { kind: "none" };
    }
    const value = await drivers.store.get(address, options);
    if (value === undefined) return { kind: "none" };
    // Another plugin with a higher limit may have written the value to a shared bucket.
    return refuseValue(value, authority.now.limits) ?? { kind: "value", value };
  }
}

/** The address of the operation's value, or the refusal of the operation. */
function decideOperation(terms: Terms, operation: KeyValueOperation): AddressDecision {
  const refusal = refuseLevel(terms, KEY_VALUE.operations[operation.kind]);
  if (refusal !== undefined || terms.kind === "denied") return refusal ?? REVOKED;
  const decision = decideAddress(terms.grants, terms.limits, operation.bucket, operation.key);
  if (decision.kind === "refused" || operation.kind === "get") return decision;
  return refuseValue(operation.value, terms.limits) ?? decision;
}
