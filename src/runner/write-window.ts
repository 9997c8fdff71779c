/**
 * How much a process has on its way to the store: further writes wait here, in order, and not in the socket. What stands
 * in the socket has to be taken by the host before anything behind it, a reply, an answer to a ping, and whether
 * somebody still waits for it or not; what waits here is in nobody's way and is let go of with its call.
 *
 * @module
 */

/** A write that waits. */
export interface WaitingWrite {
  readonly call: number;
  readonly bytes: number;
  readonly send: () => void;
}

export class WriteWindow {
  readonly #maxBytes: number;
  #bytes = 0;
  #waiting: WaitingWrite[] = [];

  /** `maxBytes` is what may be on its way; a larger value goes alone. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** May a write be sent now? {@link leave} follows then, when it is answered; else {@link wait} for it. */
  enter(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#hasRoomFor(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Has a call's write sent when there is room for it. */
  wait(write: WaitingWrite): void {
    this.#waiting.push(write);
  }

  /** A write was answered: the next ones go. */
  leave(bytes: number): void {
    this.#bytes -= bytes;
    let gone = 0;
    for (const { bytes: next, send } of this.#waiting) {
      if (!this.#hasRoomFor(next)) break;
      this.#bytes += next;
      gone += 1;
      send();
    }
    if (gone > 0) this.#waiting = this.#waiting.slice(gone);
  }

  /** Lets go of what waits of a call that has ended. What was sent is answered all the same. */
  endCall(call: number): void {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((write) => write.call !== call);
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }
}
