/**
 * The replies that were published last, so that a refusal, which comes later and names but the subject, finds whose it
 * was. Bounded in number: what was refused further back than that is nobody's. Costs a reply two assignments.
 *
 * @module
 */

/** Whose reply it was. */
export interface ReplyOwner {
  /** The server did not take it. */
  refused(subject: string, message: string): void;
}

/** A reply that the server did not take. */
export interface RefusedReply {
  /** In the order of all replies, from 0. */
  readonly number: number;
  readonly subject: string;
  readonly owner: ReplyOwner;
}

const MAX_RECENT = 4_096;

interface Recent {
  subject: string;
  owner: ReplyOwner;
  bytes: number;
}

export class RecentReplies {
  readonly #ring: (Recent | undefined)[] = Array.from({ length: MAX_RECENT }, () => undefined);
  /** Replies so far: the number of the next one. */
  #next = 0;
  /** Refusals come in the order of the replies: the next one is for none before this one. */
  #refusable = 0;

  /** How many there have been. */
  get count(): number {
    return this.#next;
  }

  add(subject: string, bytes: number, owner: ReplyOwner): void {
    const place = this.#next % MAX_RECENT;
    const known = this.#ring[place];
    if (known === undefined) this.#ring[place] = { subject, owner, bytes };
    else {
      known.subject = subject;
      known.owner = owner;
      known.bytes = bytes;
    }
    this.#next += 1;
  }

  /** The server has taken or refused all before this number, and nothing is to be said of them any more. */
  settleBefore(count: number): void {
    this.#refusable = Math.max(this.#refusable, Math.min(count, this.#next));
  }

  /** The reply on this subject that was refused; the next refusal is for a later one. */
  takeRefused(subject: string): RefusedReply | undefined {
    return this.#take((recent) => recent.subject === subject);
  }

  /** The first reply that is larger. */
  takeLargerThan(bytes: number): RefusedReply | undefined {
    return this.#take((recent) => recent.bytes > bytes);
  }

  #take(matches: (recent: Recent) => boolean): RefusedReply | undefined {
    for (let number = Math.max(this.#refusable, this.#next - MAX_RECENT); number < this.#next; number++) {
      const recent = this.#ring[number % MAX_RECENT];
      if (recent === undefined || !matches(recent)) continue;
      this.#refusable = number + 1;
      return { number, subject: recent.subject, owner: recent.owner };
    }
    return undefined;
  }
}
