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

import { IdMap } from "../../../channel/id-map.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import { type Waiter, WeightedSemaphore } from "../../../scheduling/weighted-semaphore.ts";
import type { CallEnding, PortKey } from "../../../runner/guest/guest-context.ts";
import type { GuestLink } from "../../guest-side.ts";
import { KEY_VALUE } from "../definition.ts";
import type { KeyValueOperation, KeyValueResult, KeyValueToGuest, KeyValueToHost } from "../messages.ts";

/** What a call may do with the store. */
export interface KeyValuePort {
  /** Asks the host. Never rejects; pending for ever once the call has ended. */
  perform(operation: KeyValueOperation): Promise<KeyValueResult>;
}

export const KEY_VALUE_PORT: PortKey<KeyValuePort> = { capability: KEY_VALUE.name };

interface PendingOperation {
  readonly call: number;
  /** Of the value that it writes. */
  readonly bytes: number;
  readonly resolve: (result: KeyValueResult) => void;
  state: "waiting" | "sent" | "abandoned";
}

/** A write that waits, by the bytes of its value. */
interface WaitingWrite extends Waiter {
  readonly call: number;
}

export class KeyValueLink implements GuestLink<KeyValueToGuest, KeyValuePort> {
  readonly #send: (message: KeyValueToHost) => void;
  readonly #pending = new IdMap<PendingOperation>();
  readonly #writes = new WeightedSemaphore<WaitingWrite>(FIXED_LIMITS.runnerWriteBytes);

  constructor(send: (message: KeyValueToHost) => void) {
    this.#send = send;
  }

  port(call: number): KeyValuePort {
    return { perform: (operation) => this.#perform(call, operation) };
  }

  #perform(call: number, operation: KeyValueOperation): Promise<KeyValueResult> {
    const op = this.#pending.newId();
    const bytes = operation.kind === "set" ? operation.value.length : 0;
    return new Promise((resolve) => {
      const pending: PendingOperation = { call, bytes, resolve, state: "sent" };
      this.#pending.set(op, pending);
      if (bytes === 0 || this.#writes.tryAcquire(bytes)) {
        this.#send({ kind: "key-value", call, op, operation });
        return;
      }
      pending.state = "waiting";
      this.#writes.acquire({
        call,
        weight: bytes,
        admit: () => {
          pending.state = "sent";
          this.#send({ kind: "key-value", call, op, operation });
        },
      });
    });
  }

  /** The host's answer, which a call that has ended does not hear of. */
  receive({ op, result }: KeyValueToGuest): void {
    const pending = this.#pending.delete(op);
    if (pending === undefined) return;
    if (pending.bytes > 0) this.#writes.release(pending.bytes);
    if (pending.state === "sent") pending.resolve(result);
  }

  /** Forgets what a call that was cut off still waits for. A write that was sent has its place until it is answered. */
  endCall(call: number, ending: CallEnding): void {
    // A call that returned by itself waits for nothing.
    if (ending === "returned") return;
    this.#writes.dismiss((write) => write.call === call);
    for (const [op, pending] of this.#pending.entries()) {
      if (pending.call !== call) continue;
      if (pending.bytes > 0 && pending.state === "sent") pending.state = "abandoned";
      else this.#pending.delete(op);
    }
  }
}
