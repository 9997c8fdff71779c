/**
 * Round robin: members take turns, in the order in which they joined. The user of the ring begins and ends rounds,
 * and in one round no member gets more than a given number of turns. A member that cannot use its turn now keeps its place
 * and gets the first turn of the next round.
 *
 * @module
 */

import { Link, Ring } from "./ring.ts";

/** A member, of one {@link RoundRobin} at a time. */
export class RoundRobinMember extends Link {
  /** @internal The last round in which it had a turn, and how many it had. */
  round = 0;
  /** @internal */
  turns = 0;
}

export class RoundRobin<Member extends RoundRobinMember> {
  /** In the order of their turns. */
  readonly #order = new Ring<Member>();
  /** Members that keep their places, and sit out the rest of the round. */
  readonly #passed = new Ring<Member>();
  /** Members that have had all of their turns of the round. */
  readonly #served = new Ring<Member>();
  #size = 0;
  #round = 0;
  #turnsEach = 0;

  /** The number of members. */
  get size(): number {
    return this.#size;
  }

  /** Takes the last place. */
  join(member: Member): void {
    this.#order.push(member);
    this.#size += 1;
  }

  /** Removes a member, which must have joined. */
  leave(member: Member): void {
    member.unlink();
    this.#size -= 1;
  }

  /** No member gets more than this many turns until {@link endRound}. */
  beginRound(turnsEach: number): void {
    this.#round += 1;
    this.#turnsEach = turnsEach;
  }

  /** The member whose turn it is; it moves to the last place. `undefined` if no one has a turn left in this round. */
  next(): Member | undefined {
    for (let member = this.#order.first; member !== undefined; member = this.#order.first) {
      const turns = member.round === this.#round ? member.turns : 0;
      if (turns < this.#turnsEach) {
        member.round = this.#round;
        member.turns = turns + 1;
        this.#order.push(member);
        return member;
      }
      this.#served.push(member);
    }
    return undefined;
  }

  /** The member cannot use its turn in this round. */
  pass(member: Member): void {
    this.#passed.push(member);
  }

  /** All members have turns again: first those that passed, last those that have had all of theirs. */
  endRound(): void {
    this.#order.prepend(this.#passed);
    this.#order.append(this.#served);
  }
}
