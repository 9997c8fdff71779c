/**
 * Checks whether a connection still delivers: by a round trip to the server at an interval, bounded in time. The
 * client's own pings end a dead connection. The probe notices one sooner and ends nothing. It also detects a connection
 * whose socket is alive while nothing is read from it any more.
 *
 * An answer that is late while messages arrive is not a failure: the connection delivers.
 *
 * @module
 */

import type { NatsConnection } from "nats";

export interface DeliveryProbeOptions {
  readonly connection: Pick<NatsConnection, "flush" | "stats" | "isClosed">;
  readonly intervalMs: number;
  /** How long a round trip may take, unless messages arrive meanwhile. */
  readonly timeoutMs: number;
  readonly events: DeliveryEvents;
}

export interface DeliveryEvents {
  /** A question is sent now, after everything sent so far. */
  asked(): void;
  /** The server has answered it, and all that the server said before has been handled. */
  answered(roundTripMs: number): void;
  /** Neither the answer nor any message came in time. The answer may still come. */
  overdue(): void;
}

/** One round trip. */
interface Question {
  readonly askedMs: number;
  /** How many messages had been received when its time began. */
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

  /** The connection is up: starts to ask. */
  resume(): void {
    if (this.#state !== "resting") return;
    this.#state = "asking";
    this.#ask();
  }

  /** The connection is down: stops asking, since no open question will be answered. */
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
        // What the server said before its answer reaches its listeners by other paths, but within this turn of the
        // event loop.
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
      // If this process stalled, the answer may have arrived but not been read.
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
