/**
 * Tells whether a connection still delivers: a round trip to the server and back at an interval, bounded in time. The
 * client's own pings end a dead connection; this one notices sooner, ends nothing, and also tells of a connection
 * whose socket is alive while nothing is read from it any more.
 *
 * An answer that is late behind messages that do come is not a failure: the connection delivers.
 *
 * @module
 */

import type { NatsConnection } from "nats";

export interface DeliveryProbeOptions {
  readonly connection: Pick<NatsConnection, "flush" | "stats" | "isClosed">;
  readonly intervalMs: number;
  /** A round trip may take so long, unless messages come meanwhile. */
  readonly timeoutMs: number;
  readonly events: DeliveryEvents;
}

export interface DeliveryEvents {
  /** A question leaves now, behind all that was sent so far. */
  asked(): void;
  /** The server has answered it; what it had to say before has been heard. */
  answered(roundTripMs: number): void;
  /** Neither its answer nor any message came in time. An answer may still come. */
  overdue(): void;
}

/** One round trip. */
interface Question {
  readonly askedMs: number;
  /** Messages received when its time began. */
  messages: number;
}

export class DeliveryProbe implements Disposable {
  readonly #parts: DeliveryProbeOptions;
  readonly #interval: NodeJS.Timeout;
  #question: Question | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: "asking" | "resting" | "closed" = "resting";

  /** Begins at once. */
  constructor(parts: DeliveryProbeOptions) {
    this.#parts = parts;
    this.#interval = setInterval(() => this.#ask(), parts.intervalMs);
    this.resume();
  }

  /** The connection is up: asks from now on. */
  resume(): void {
    if (this.#state !== "resting") return;
    this.#state = "asking";
    this.#ask();
  }

  /** The connection is down: an answer to what was asked comes no more. */
  rest(): void {
    if (this.#state === "asking") this.#state = "resting";
    this.#forget();
  }

  [Symbol.dispose](): void {
    this.#state = "closed";
    clearInterval(this.#interval);
    this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#question = undefined;
  }

  #ask(): void {
    const { connection, events } = this.#parts;
    if (this.#state !== "asking" || this.#question !== undefined || connection.isClosed()) return;
    const question: Question = { askedMs: performance.now(), messages: connection.stats().inMsgs };
    this.#question = question;
    events.asked();
    connection.flush().then(
      () => {
        const roundTripMs = performance.now() - question.askedMs;
        // What the server said before its answer reaches listeners by other ways, in this turn of the event loop.
        setImmediate(() => this.#answered(question, roundTripMs));
      },
      () => {
        if (this.#question === question) this.#forget();
      },
    );
    this.#await(question);
  }

  #await(question: Question): void {
    this.#timer = setTimeout(
      // Where this process stalled the answer may be there, unread.
      () => setImmediate(() => this.#judge(question)),
      this.#parts.timeoutMs,
    );
    this.#timer.unref();
  }

  #answered(question: Question, roundTripMs: number): void {
    if (this.#question !== question) return;
    this.#forget();
    this.#parts.events.answered(roundTripMs);
  }

  #judge(question: Question): void {
    if (this.#question !== question) return;
    const { inMsgs } = this.#parts.connection.stats();
    if (inMsgs === question.messages) this.#parts.events.overdue();
    question.messages = inMsgs;
    this.#await(question);
  }
}
