/**
 * A ring of links: a doubly linked list whose members are their own nodes, so that to add one, to take one out of the
 * middle and to join two rings cost the same however many there are, and no memory.
 *
 * @module
 */

/** What may be in a ring, in one at a time. */
export class Link {
  /** @internal The neighbours; the link itself while it is in no ring. */
  previous: Link = this;
  /** @internal */
  next: Link = this;

  /** Is it in a ring? */
  get isLinked(): boolean {
    return this.next !== this;
  }

  /** Takes it out of its ring, if it is in one. */
  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }
}

export class Ring<Member extends Link> {
  /** Stands behind the last member and before the first. */
  readonly #mark = new Link();

  get isEmpty(): boolean {
    return !this.#mark.isLinked;
  }

  get first(): Member | undefined {
    return this.#memberAt(this.#mark.next);
  }

  /** The one behind a member of this ring. */
  after(member: Member): Member | undefined {
    return this.#memberAt(member.next);
  }

  /** The members as they are now. Costs as much as there are. */
  members(): readonly Member[] {
    const members: Member[] = [];
    for (let member = this.first; member !== undefined; member = this.after(member)) members.push(member);
    return members;
  }

  /** Adds one at the end, out of whichever ring it is in. */
  push(member: Member): void {
    if (member.isLinked) member.unlink();
    link(this.#mark.previous, member);
    link(member, this.#mark);
  }

  /** Takes the first one out. */
  shift(): Member | undefined {
    const first = this.first;
    first?.unlink();
    return first;
  }

  /** Takes over the members of another ring, in their order, before its own. */
  prepend(other: Ring<Member>): void {
    other.#moveBetween(this.#mark, this.#mark.next);
  }

  /** Takes over the members of another ring, in their order, behind its own. */
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
    // All links of a ring but its mark were pushed, as members.
    return place === this.#mark ? undefined : (place as Member);
  }
}

function link(previous: Link, next: Link): void {
  previous.next = next;
  next.previous = previous;
}
