/**
 * Key-value operations that calls wait for. Each has a number of its own; its answer goes to the call that asked, and
 * to nobody once that call has ended.
 *
 * How much a process has on its way to the store is bounded: further writes wait here, in order, and not in the socket.
 * What is in the socket has to be taken by the host before anything behind it, a reply, an answer to a ping, and
 * whether somebody still waits for it or not; what waits here is in nobody's way and is released with its call.
 *
 * @module
 */

import { IdMap } from "../channel/id-map.ts";
import type { OperationResult, RunnerMessage } from "../channel/messages/messages.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { type Waiter, WeightedSemaphore } from "../scheduling/weighted-semaphore.ts";
import type { GuestOperation } from "./guest-context.ts";

interface PendingOperation {
  readonly call: number;
  /** Of the value that it writes. */
  readonly bytes: number;
  readonly resolve: (result: OperationResult) => void;
  state: "waiting" | "sent" | "abandoned";
}

/** A write that waits, by the bytes of its value. */
interface WaitingWrite extends Waiter {
  readonly call: number;
}

export class Operations {
  readonly #send: (message: RunnerMessage) => void;
  readonly #pending = new IdMap<PendingOperation>();
  readonly #writes = new WeightedSemaphore<WaitingWrite>(FIXED_LIMITS.runnerWriteBytes);

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
      if (bytes === 0 || this.#writes.tryAcquire(bytes)) {
        this.#send({ ...operation, call, op });
        return;
      }
      pending.state = "waiting";
      this.#writes.acquire({
        call,
        weight: bytes,
        admit: () => {
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
    if (pending.bytes > 0) this.#writes.release(pending.bytes);
    if (pending.state === "sent") pending.resolve(result);
  }

  /** Forgets what a call that was cut off still waits for. A write that was sent has its place until it is answered. */
  endCall(call: number): void {
    this.#writes.dismiss((write) => write.call === call);
    for (const [op, pending] of this.#pending.entries()) {
      if (pending.call !== call) continue;
      if (pending.bytes > 0 && pending.state === "sent") pending.state = "abandoned";
      else this.#pending.delete(op);
    }
  }
}
