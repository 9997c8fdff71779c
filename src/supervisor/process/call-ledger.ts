/**
 * The host's own record of a runner's calls, and of what each may still send. The host does not trust a runner to keep
 * its bounds. A runner that sends more for a call than any guest could cause, or sends anything for a call that it
 * knows to be over, has broken the protocol: the result is a {@link Violation}.
 *
 * A cancelled call stays in the ledger until the runner has answered a ping that was sent after the cancellation. After
 * that, no message of the call can still arrive.
 *
 * @module
 */

import type { LinkCalls } from "../../capabilities/host-side.ts";
import { IdMap } from "../../channel/id-map.ts";
import { ESCAPED_CHARACTERS } from "../../channel/messages/messages.ts";
import { Violation } from "../../channel/violation.ts";
import type { RunnerCall } from "./runner-call.ts";

/**
 * Operations of one call that may be in flight. The contract's functions block the guest, so they account for one; each
 * outbound request adds a few.
 */
const MAX_OPERATIONS = 64;

/** The runner charges a record at least this many bytes of the call's budget, and so does the ledger. */
const MIN_RECORD_CHARACTERS = 16;

/** Room for the count of dropped records, and the last line of each stream. */
const SPARE_CHARACTERS = 1_024;

/** A call that has ended. */
export interface EndedCall {
  /** Absent where the call was cancelled, or is a probe, which has no capabilities. */
  readonly listener: RunnerCall | undefined;
  /** Did its guest use a capability? */
  readonly usedCapability: boolean;
}

interface Entry extends EndedCall {
  listener: RunnerCall | undefined;
  usedCapability: boolean;
  charactersLeft: number;
  operations: number;
  /**
   * Pings sent to the runner before the call. The runner takes messages in order, so until it has answered these it has
   * not begun the call.
   */
  readonly pingsBefore: number;
  /** The runner has sent something for the call, perhaps before it answered the pings. */
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

  /** Calls whose outcome is awaited: neither ended nor cancelled. */
  get waiting(): number {
    return this.#listeners;
  }

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

  /** Charges a call for characters of log or output; returns its listener. */
  hear(id: number, characters: number): RunnerCall | undefined | Violation {
    const entry = this.#entry(id);
    if (entry instanceof Violation) return entry;
    entry.charactersLeft -= Math.max(characters, MIN_RECORD_CHARACTERS);
    return entry.charactersLeft < 0 ? new Violation(`call ${id} logs more than a guest can`) : entry.listener;
  }

  /** Notes that a call uses a capability; returns its listener, unless the call was cancelled. */
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

  /** A call's listener; `undefined` where the call has ended or was cancelled. */
  listener(id: number): RunnerCall | undefined {
    return this.#entries.get(id)?.listener;
  }

  endOperation(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.operations -= 1;
  }

  /** Ends a call because the runner says that it ended. */
  close(id: number): EndedCall | Violation {
    const entry = this.#entries.delete(id);
    if (entry === undefined) return notInFlight(id);
    if (entry.listener !== undefined) this.#listeners -= 1;
    return entry;
  }

  /** Awaited calls that a runner that has answered this many pings has not begun, in order. */
  unbegun(pingsAnswered: number): number[] {
    return this.#entries
      .entries()
      .filter(([, entry]) => entry.listener !== undefined && !entry.isHeard && entry.pingsBefore > pingsAnswered)
      .map(([id]) => id)
      .sort((one, other) => one - other);
  }

  /** Removes the listener of a call. False where it has none. Follow with {@link forget}. */
  cancel(id: number): boolean {
    const entry = this.#entries.get(id);
    if (entry?.listener === undefined) return false;
    entry.listener = undefined;
    this.#listeners -= 1;
    return true;
  }

  /** Removes a cancelled call, for which no message can arrive any more. */
  forget(id: number): void {
    if (this.#entries.get(id)?.listener === undefined) this.#entries.delete(id);
  }

  /** Ends all calls; returns their listeners. */
  clear(): RunnerCall[] {
    const listeners = this.#entries.entries().flatMap(([, { listener }]) => listener ?? []);
    this.#entries.clear();
    this.#listeners = 0;
    return listeners;
  }

  #entry(id: number): Entry | Violation {
    const entry = this.#entries.get(id);
    if (entry === undefined) return notInFlight(id);
    entry.isHeard = true;
    return entry;
  }
}

function notInFlight(id: number): Violation {
  return new Violation(`message for call ${id}, which is not in flight`);
}
