/**
 * Key-value operations that calls wait for. Each has a number of its own; its answer goes to the call that asked, and
 * to nobody once that call has ended.
 *
 * @module
 */

import { IdMap } from "../channel/id-map.ts";
import type { OperationResult, RunnerMessage } from "../channel/messages.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { GuestOperation } from "./guest-context.ts";
import { WriteWindow } from "./write-window.ts";

interface PendingOperation {
  readonly call: number;
  /** Of the value that it writes. */
  readonly bytes: number;
  readonly resolve: (result: OperationResult) => void;
  state: "waiting" | "sent" | "abandoned";
}

export class Operations {
  readonly #send: (message: RunnerMessage) => void;
  readonly #pending = new IdMap<PendingOperation>();
  readonly #writes = new WriteWindow(FIXED_LIMITS.runnerWriteBytes);

  constructor(send: (message: RunnerMessage) => void) {
    this.#send = send;
  }

  /** Asks the host. Never rejects; pending for ever once the call has ended. */
  perform(call: number, operation: GuestOperation): Promise<OperationResult> {
    const op = this.#pending.newId();
    const bytes = operation.kind === "kv-set" ? operation.value.length : 0;
    return new Promise((resolve) => {
      const pending: PendingOperation = { call, bytes, resolve, state: "sent" };
      this.#pending.set(op, pending);
      if (bytes === 0 || this.#writes.enter(bytes)) {
        this.#send({ ...operation, call, op });
        return;
      }
      pending.state = "waiting";
      this.#writes.wait({
        call,
        bytes,
        send: () => {
          pending.state = "sent";
          this.#send({ ...operation, call, op });
        },
      });
    });
  }

  /** The host's answer, which a call that has ended does not hear of. */
  resume(op: number, result: OperationResult): void {
    const pending = this.#pending.delete(op);
    if (pending === undefined) return;
    if (pending.bytes > 0) this.#writes.leave(pending.bytes);
    if (pending.state === "sent") pending.resolve(result);
  }

  /** Forgets what a call that was cut off still waits for. A write that was sent has its place until it is answered. */
  endCall(call: number): void {
    this.#writes.endCall(call);
    for (const [op, pending] of this.#pending.entries()) {
      if (pending.call !== call) continue;
      if (pending.bytes > 0 && pending.state === "sent") pending.state = "abandoned";
      else this.#pending.delete(op);
    }
  }
}
