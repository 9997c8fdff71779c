/**
 * The calls of a runner as the host counts them, and what each may still send. A runner is not trusted to keep
 * its own bounds: one that sends more for a call than any guest could make it send, or sends anything for a
 * call that it knows to be over, has gone wrong, and a {@link Violation} says so.
 *
 * A call that was cancelled stays in the ledger until the runner has answered a ping that was sent after the
 * cancellation; by then nothing of it can be on its way.
 *
 * @module
 */

import type { LinkCalls } from "../../capabilities/host-side.ts";
import { IdMap } from "../../channel/id-map.ts";
import { ESCAPED_CHARACTERS } from "../../channel/messages/messages.ts";
import { Violation } from "../../channel/violation.ts";
import type { RunnerCall } from "./runner-call.ts";

/**
 * Operations of one call that may be in flight. The contract's functions return before a guest goes on, so
 * it has one; each outbound request adds a few.
 */
const MAX_OPERATIONS = 64;

/** A record costs a runner at least so many bytes of its budget; it costs at least so many here. */
const MIN_RECORD_CHARACTERS = 16;

/** For the count of what was dropped, and the last line of each stream. */
const SPARE_CHARACTERS = 1_024;

/** A call that has ended. */
export interface EndedCall {
  /** Absent where nobody listens: the call was cancelled, or is a probe, which has no capabilities. */
  readonly listener: RunnerCall | undefined;
  /** Did its guest use a capability? */
  readonly usedCapability: boolean;
}

interface Entry extends EndedCall {
  listener: RunnerCall | undefined;
  usedCapability: boolean;
  charactersLeft: number;
  operations: number;
  /** Pings that were sent to the runner before it. It takes both in order, so it has not begun before it answered them. */
  readonly pingsBefore: number;
  /** It said something of the call, which it may before its time. */
  isHeard: boolean;
}

export class CallLedger implements LinkCalls {
  readonly #entries = new IdMap<Entry>();
  readonly #charactersPerCall: number;
  #listeners = 0;

  /** `logBytes` is what a runner lets one call log. */
  constructor(logBytes: number) {
    this.#charactersPerCall = logBytes * ESCAPED_CHARACTERS + SPARE_CHARACTERS;
  }

  /** Calls that somebody waits for. */
  get waiting(): number {
    return this.#listeners;
  }

  /** A number for the next call. */
  newId(): number {
    return this.#entries.newId();
  }

  /** `pingsBefore` is how many pings were sent before the call. */
  open(id: number, pingsBefore: number, listener?: RunnerCall): void {
    this.#entries.set(id, {
      listener,
      pingsBefore,
      isHeard: false,
      usedCapability: false,
      charactersLeft: this.#charactersPerCall,
      operations: 0,
    });
    if (listener !== undefined) this.#listeners += 1;
  }

  /** Who listens to a call that has sent so many characters of log or output. */
  hear(id: number, characters: number): RunnerCall | undefined | Violation {
    const entry = this.#entry(id);
    if (entry instanceof Violation) return entry;
    entry.charactersLeft -= Math.max(characters, MIN_RECORD_CHARACTERS);
    return entry.charactersLeft < 0 ? new Violation(`call ${id} logs more than a guest can`) : entry.listener;
  }

  /** Who waits for a call that the runner speaks of, if anybody still does. */
  use(id: number): RunnerCall | undefined | Violation {
    const entry = this.#entry(id);
    if (entry instanceof Violation) return entry;
    entry.usedCapability = true;
    return entry.listener;
  }

  /** Counts an operation of a call; {@link endOperation} follows. */
  beginOperation(id: number): Violation | undefined {
    const entry = this.#entry(id);
    if (entry instanceof Violation) return entry;
    entry.usedCapability = true;
    entry.operations += 1;
    if (entry.operations <= MAX_OPERATIONS) return undefined;
    return new Violation(`call ${id} has more operations in flight than a guest can`);
  }

  /** Who waits for a call, if anybody still does. */
  listener(id: number): RunnerCall | undefined {
    return this.#entries.get(id)?.listener;
  }

  endOperation(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.operations -= 1;
  }

  /** Ends a call by the runner's word. */
  close(id: number): EndedCall | Violation {
    const entry = this.#entries.delete(id);
    if (entry === undefined) return notUnderWay(id);
    if (entry.listener !== undefined) this.#listeners -= 1;
    return entry;
  }

  /** Calls that somebody waits for and that a runner which has answered so many pings has not begun, in order. */
  unbegun(pingsAnswered: number): number[] {
    return this.#entries
      .entries()
      .filter(([, entry]) => entry.listener !== undefined && !entry.isHeard && entry.pingsBefore > pingsAnswered)
      .map(([id]) => id)
      .sort((one, other) => one - other);
  }

  /** Nobody waits for a call any more. False where nobody did. Follow with {@link forget}. */
  cancel(id: number): boolean {
    const entry = this.#entries.get(id);
    if (entry?.listener === undefined) return false;
    entry.listener = undefined;
    this.#listeners -= 1;
    return true;
  }

  /** Nothing of a cancelled call can come any more. */
  forget(id: number): void {
    if (this.#entries.get(id)?.listener === undefined) this.#entries.delete(id);
  }

  /** Ends all calls; the result are those who wait. */
  clear(): RunnerCall[] {
    const listeners = this.#entries.entries().flatMap(([, { listener }]) => listener ?? []);
    this.#entries.clear();
    this.#listeners = 0;
    return listeners;
  }

  #entry(id: number): Entry | Violation {
    const entry = this.#entries.get(id);
    if (entry === undefined) return notUnderWay(id);
    entry.isHeard = true;
    return entry;
  }
}

function notUnderWay(id: number): Violation {
  return new Violation(`message for call ${id}, which is not in flight`);
}
