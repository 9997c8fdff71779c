/**
 * Decides whether the server lets this replica publish replies. A single refusal proves little: a caller chooses the
 * subject of its reply, perhaps one that the account may not publish on. The right counts as lost when the server
 * refused the last few replies, all of them. It counts as restored when the server accepts a reply, when the connection
 * is a new one, or after a minute without a refusal.
 *
 * Replies are numbered in the order in which they were sent. The server reports a refusal before it answers a question
 * that was sent after the reply. So the answer shows that the server accepted the replies before it that it did not
 * refuse.
 *
 * @module
 */

/** How many refusals in a row mean that the right is lost. */
const REFUSALS = 3;
const FORGOTTEN_AFTER_MS = 60_000;

export class PublishRight {
  readonly #clock: () => number;
  /** How many replies preceded the last answered question, and the open one. */
  #answeredCount = 0;
  #askedCount = 0;
  /** Since the last answered question: the first refused reply, and how many were refused. */
  #first = 0;
  #refused = 0;
  /** How many replies in a row were refused up to the last answered question. */
  #run = 0;
  #message = "";
  #lastRefusalMs = Number.NEGATIVE_INFINITY;

  /** The clock counts milliseconds and never goes back. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Why the server refuses replies, in its own words; undefined while the right does not count as lost. */
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

  /** A question is sent, after this many replies. */
  asked(replies: number): void {
    this.#askedCount = replies;
  }

  /** The server has answered it, and has reported every refusal of a reply before it. */
  answered(): void {
    const replies = this.#askedCount - this.#answeredCount;
    const sinceFirst = this.#askedCount - this.#first;
    if (this.#refused === 0) this.#run = replies > 0 ? 0 : this.#run;
    else if (this.#refused < sinceFirst) this.#run = 0;
    else this.#run = (this.#first <= this.#answeredCount ? this.#run : 0) + this.#refused;
    this.#answeredCount = this.#askedCount;
    this.#refused = 0;
  }

  /** The connection is a new one, with rights of its own. This many replies went before it. */
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
