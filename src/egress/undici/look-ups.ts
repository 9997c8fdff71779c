/**
 * Tracks the targets whose names are being looked up, so that a request that waited too long for a connection can report what
 * it was waiting for: the name servers or the host.
 *
 * @module
 */

export class LookUps {
  /** Target (see `HttpTarget.origin`) → look-ups in progress. */
  readonly #underWay = new Map<string, number>();

  /** Is the target's name being looked up? */
  has(target: string): boolean {
    return this.#underWay.has(target);
  }

  /** Counts the look-up in while it lasts. */
  async during<Found>(target: string, lookUp: () => Promise<Found>): Promise<Found> {
    this.#add(target, 1);
    try {
      return await lookUp();
    } finally {
      this.#add(target, -1);
    }
  }

  #add(target: string, change: 1 | -1): void {
    const count = (this.#underWay.get(target) ?? 0) + change;
    if (count === 0) this.#underWay.delete(target);
    else this.#underWay.set(target, count);
  }
}
