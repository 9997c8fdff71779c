/**
 * A ring of links: a doubly linked list whose members are their own nodes. So adding a member, removing one from the
 * middle and joining two rings take constant time and no memory.
 *
 * @module
 */

/** A member of a ring, of one at a time. */
export class Link {
  /** @internal The neighbours; the link itself while it is in no ring. */
  previous: Link = this;
  /** @internal */
  next: Link = this;

  /** Is it in a ring? */
  get isLinked(): boolean {
    return this.next !== this;
  }

  /** Removes it from its ring, if it is in one. */
  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }
}

export class Ring<Member extends Link> {
  /** The mark after the last member and before the first. */
  readonly #mark = new Link();

  get isEmpty(): boolean {
    return !this.#mark.isLinked;
  }

  get first(): Member | undefined {
    return this.#memberAt(this.#mark.next);
  }

  /** The member after this one, in this ring. */
  after(member: Member): Member | undefined {
    return this.#memberAt(member.next);
  }

  /** The present members. Takes linear time. */
  members(): readonly Member[] {
    const members: Member[] = [];
    for (let member = this.first; member !== undefined; member = this.after(member)) members.push(member);
    return members;
  }

  /** Adds a member at the end, after removing it from the ring that it is in. */
  push(member: Member): void {
    if (member.isLinked) member.unlink();
    link(this.#mark.previous, member);
    link(member, this.#mark);
  }

  /** Removes and returns the first member. */
  shift(): Member | undefined {
    const first = this.first;
    first?.unlink();
    return first;
  }

  /** Takes over the members of another ring, in their order, before its own. */
  prepend(other: Ring<Member>): void {
    other.#moveBetween(this.#mark, this.#mark.next);
  }

  /** Takes over the members of another ring, in their order, after its own. */
  append(other: Ring<Member>): void {
    other.#moveBetween(this.#mark.previous, this.#mark);
  }

  #moveBetween(previous: Link, next: Link): void {
    if (this.isEmpty) return;
    const mark = this.#mark;
    link(previous, mark.next);
    link(mark.previous, next);
    mark.next = mark;
    mark.previous = mark;
  }

  #memberAt(place: Link): Member | undefined {
    // Every link of a ring except its mark was pushed, as a member.
    return place === this.#mark ? undefined : (place as Member);
  }
}

function link(previous: Link, next: Link): void {
  previous.next = next;
  next.previous = previous;
}
