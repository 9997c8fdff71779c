/**
 * The key-value operations that calls of a runner wait for. Each has a number of its own. Its answer goes to the call that
 * asked, and is dropped once that call has ended.
 *
 * The bytes that a process has in flight to the store are bounded. Further writes wait here, in order, and not in the
 * socket: the host must read what is in the socket before what follows, such as a reply or a pong, even if its call has
 * ended. A write that waits here delays no other message, and is dropped with its call.
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

/** A call's port of the key-value store. */
export interface KeyValuePort {
  /** Asks the host. Never rejects; stays pending once the call has ended. */
  perform(operation: KeyValueOperation): Promise<KeyValueResult>;
}

export const KEY_VALUE_PORT: PortKey<KeyValuePort> = { capability: KEY_VALUE.name };

interface PendingOperation {
  readonly call: number;
  /** Bytes of the value that it writes; 0 for a read. */
  readonly bytes: number;
  readonly resolve: (result: KeyValueResult) => void;
  state: "waiting" | "sent" | "abandoned";
}

/** A write that waits; its weight is the bytes of its value. */
interface WaitingWrite extends Waiter {
  readonly call: number;
}

/** A runner's end of its key-value messages. */
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

  /** Takes the host's answer, and drops it where the call was cut off. */
  receive({ op, result }: KeyValueToGuest): void {
    const pending = this.#pending.delete(op);
    if (pending === undefined) return;
    if (pending.bytes > 0) this.#writes.release(pending.bytes);
    if (pending.state === "sent") pending.resolve(result);
  }

  /** Forgets the operations of a call that was cut off. A write that was sent keeps its place until it is answered. */
  endCall(call: number, ending: CallEnding): void {
    // A call that returned by itself has no pending operations.
    if (ending === "returned") return;
    this.#writes.dismiss((write) => write.call === call);
    for (const [op, pending] of this.#pending.entries()) {
      if (pending.call !== call) continue;
      if (pending.bytes > 0 && pending.state === "sent") pending.state = "abandoned";
      else this.#pending.delete(op);
    }
  }
}
