/**
 * Key-value operations that calls wait for. Each has a number of its own; its answer goes to the call that asked, and
 * to nobody once that call has ended.
 *
 * @module
 */

import { IdMap } from "../channel/id-map.ts";
import type { OperationResult, RunnerMessage } from "../channel/messages.ts";
import type { GuestOperation } from "./guest-context.ts";

interface PendingOperation {
  readonly call: number;
  readonly resolve: (result: OperationResult) => void;
}

export class Operations {
  readonly #send: (message: RunnerMessage) => void;
  readonly #pending = new IdMap<PendingOperation>();

  constructor(send: (message: RunnerMessage) => void) {
    this.#send = send;
  }

  /** Asks the host. Never rejects; pending for ever once the call has ended. */
  perform(call: number, operation: GuestOperation): Promise<OperationResult> {
    const op = this.#pending.newId();
    this.#send({ ...operation, call, op });
    return new Promise((resolve) => this.#pending.set(op, { call, resolve }));
  }

  /** The host's answer; ignored for a call that has ended. */
  resume(op: number, result: OperationResult): void {
    this.#pending.delete(op)?.resolve(result);
  }

  /** Forgets what a call that was cut off still waits for. */
  endCall(call: number): void {
    for (const [op, pending] of this.#pending.entries()) if (pending.call === call) this.#pending.delete(op);
  }
}
