/**
 * Whether the server takes this replica's replies. A single refusal says little: a caller chooses the subject of its
 * reply, and may choose one that the account may not publish on. The right is taken for lost when the last few replies
 * were all refused; and for there again when one was taken, when the connection is a new one, or when there was no
 * refusal for a minute.
 *
 * Replies are numbered in the order in which they were sent. That one was taken shows at the answer to a question which
 * left behind it: a refusal would have come before.
 *
 * @module
 */

/** So many in a row. */
const REFUSALS = 3;
const FORGOTTEN_AFTER_MS = 60_000;

export class PublishRight {
  readonly #clock: () => number;
  /** Replies so far at the last answered question, and at the open one. */
  #answeredCount = 0;
  #askedCount = 0;
  /** Since the last answered question: the first reply that was refused, and how many were. */
  #first = 0;
  #refused = 0;
  /** How many were refused in a row up to the last answered question. */
  #run = 0;
  #message = "";
  #lastRefusalMs = Number.NEGATIVE_INFINITY;

  /** The clock counts milliseconds and never goes back. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Why replies do not get out, in the server's words; undefined where they do, as far as is known. */
  get refusal(): string | undefined {
    return this.#run >= REFUSALS && this.#isRecent() ? this.#message : undefined;
  }

  /** The server refused the reply of this number. */
  refuse(number: number, message: string): void {
    if (!this.#isRecent()) this.#run = 0;
    if (this.#refused === 0) this.#first = number;
    this.#refused += 1;
    this.#message = message;
    this.#lastRefusalMs = this.#clock();
  }

  /** A question leaves behind so many replies. */
  asked(replies: number): void {
    this.#askedCount = replies;
  }

  /** The server has answered it: whatever it refused of the replies before, it has said. */
  answered(): void {
    const replies = this.#askedCount - this.#answeredCount;
    const sinceFirst = this.#askedCount - this.#first;
    if (this.#refused === 0) this.#run = replies > 0 ? 0 : this.#run;
    else if (this.#refused < sinceFirst) this.#run = 0;
    else this.#run = (this.#first <= this.#answeredCount ? this.#run : 0) + this.#refused;
    this.#answeredCount = this.#askedCount;
    this.#refused = 0;
  }

  /** The connection is a new one, with rights of its own. So many replies went before. */
  renewed(replies: number): void {
    this.#run = 0;
    this.#refused = 0;
    this.#askedCount = replies;
    this.#answeredCount = replies;
  }

  #isRecent(): boolean {
    return this.#clock() - this.#lastRefusalMs < FORGOTTEN_AFTER_MS;
  }
}
