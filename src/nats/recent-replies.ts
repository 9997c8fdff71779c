/**
 * The replies that were published last. A refusal comes later and names only the subject; here the owner of the refused
 * reply is found. Bounded in number: a refusal of an older reply finds no owner. Keeping a reply costs a few
 * assignments.
 *
 * @module
 */

/** The owner of replies. */
export interface ReplyOwner {
  /** The server refused one of its replies. */
  refused(subject: string, message: string): void;
}

/** A reply that the server refused. */
export interface RefusedReply {
  /** Its number in the order of all replies, from 0. */
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
  /** The number of the next reply. */
  #next = 0;
  /** The number of the first reply that can still be refused: refusals come in the order of the replies. */
  #refusable = 0;

  /** How many replies there have been. */
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

  /** The server has accepted or refused all replies before this number, and reports nothing about them any more. */
  settleBefore(count: number): void {
    this.#refusable = Math.max(this.#refusable, Math.min(count, this.#next));
  }

  /** Finds the refused reply by its subject. The next refusal is for a later one. */
  takeRefused(subject: string): RefusedReply | undefined {
    return this.#take((recent) => recent.subject === subject);
  }

  /** Finds the first reply that is larger than `bytes`. */
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
