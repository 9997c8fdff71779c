/**
 * The calls of a replica that are not answered yet: who they are, and when there is none. To take one in or out costs the
 * same however many there are.
 *
 * @module
 */

/** A call as it is kept here. */
export interface OpenCall {
  /** Where it stands; for {@link OpenCalls} alone. */
  place: number;
}

export class OpenCalls<Call extends OpenCall> {
  readonly #calls: Call[] = [];
  #idle: PromiseWithResolvers<void> | undefined;

  /** The calls as they are now, in no order that means anything. */
  all(): readonly Call[] {
    return [...this.#calls];
  }

  add(call: Call): void {
    call.place = this.#calls.length;
    this.#calls.push(call);
  }

  /** Takes a call out that was added. The last one takes its place. */
  remove(call: Call): void {
    const last = this.#calls.pop();
    if (last !== undefined && last !== call) {
      this.#calls[call.place] = last;
      last.place = call.place;
    }
    if (this.#calls.length > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Resolves when there is none. */
  async idle(): Promise<void> {
    if (this.#calls.length === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }
}
