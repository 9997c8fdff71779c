/**
 * Instances that wait for a request, last in, first out: those that are ready, and those that were put back to their state
 * before their start functions, which must run again first.
 *
 * @module
 */

export class WaitingInstances<Prepared> {
  readonly #ready: Prepared[] = [];
  readonly #unstarted: Prepared[] = [];

  get count(): number {
    return this.#ready.length + this.#unstarted.length;
  }

  get hasUnstarted(): boolean {
    return this.#unstarted.length > 0;
  }

  add(prepared: Prepared, state: "ready" | "unstarted"): void {
    (state === "ready" ? this.#ready : this.#unstarted).push(prepared);
  }

  takeReady(): Prepared | undefined {
    return this.#ready.pop();
  }

  takeUnstarted(): Prepared | undefined {
    return this.#unstarted.pop();
  }

  /** Removes `count` instances: those that would be taken last. */
  remove(count: number): Prepared[] {
    const removed = this.#unstarted.splice(0, count);
    return [...removed, ...this.#ready.splice(0, count - removed.length)];
  }
}
