/**
 * `wasi:io/poll` and `wasi:clocks/monotonic-clock`: waiting, and the time to wait for. A pollable is ready from an instant
 * on, or while a condition holds; only something that arrives for the guest changes the condition. A pollable of something
 * that never waits is ready from the start.
 *
 * `poll` and `block` suspend the guest and must not reject: generated code hangs when an import without a `result` rejects.
 * A broken rule ends the call through its context instead. The request's deadline cuts off a wait that never ends.
 *
 * The clock ticks in milliseconds: a finer one would help timing attacks.
 *
 * @module
 */

import type { Pollable as PublishedPollable } from "@bytecodealliance/preview2-shim/interfaces/wasi-io-poll";
import type * as PublishedPoll from "@bytecodealliance/preview2-shim/interfaces/wasi-io-poll";
import type * as PublishedClock from "@bytecodealliance/preview2-shim/interfaces/wasi-clocks-monotonic-clock";
import { GUEST_LIMITS } from "../../contract/guest-limits.ts";
import type { GuestContext } from "../guest/guest-context.ts";
import { expectArray, expectU64 } from "../guest/guest-values.ts";
import { type KeptResource, NOTE_STATE, nothingToPutBack, type PutBack } from "../guest/kept-resource.ts";
import {
  classWithForgedMethods,
  HOST_ONLY,
  type Namespace,
  namespace,
  requireHost,
  seal,
} from "../guest/namespaces.ts";
import type { Functions, Implementation } from "./published-types.ts";

const NS_PER_MS = 1_000_000n;

/** At most this many pollables in one call of `poll`. */
const MAX_POLLED = GUEST_LIMITS.polledHandles;

function nowMs(): number {
  return Math.floor(performance.now());
}

/** When a pollable is ready: from an instant of this module's clock on, in nanoseconds, or while the condition holds. */
export type Readiness = bigint | (() => boolean);

/** Returns a pollable of the host; throws for anything else. */
let expectPollable: (pollable: unknown) => Pollable;
/** Milliseconds for which a pollable is surely not ready: 0 if it is, `Infinity` where only an arrival changes that. */
let waitMs: (pollable: Pollable) => number;
let isPollable: (value: object) => boolean;

/** The resource `pollable`. It counts as a handle until the guest drops it. */
export class Pollable implements Implementation<PublishedPollable>, KeptResource {
  readonly #context: GuestContext;
  readonly #readiness: number | (() => boolean);

  constructor(key: typeof HOST_ONLY, context: GuestContext, readiness: Readiness) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#readiness = typeof readiness === "bigint" ? Math.ceil(Number(readiness) / Number(NS_PER_MS)) : readiness;
  }

  ready(): boolean {
    return this.#waitMs() === 0;
  }

  async block(): Promise<void> {
    for (let delayMs = this.#waitMs(); delayMs > 0; delayMs = this.#waitMs()) await this.#context.sleep(delayMs);
  }

  #waitMs(): number {
    if (typeof this.#readiness === "number") return Math.max(0, this.#readiness - nowMs());
    return this.#readiness() ? 0 : Infinity;
  }

  /** A pollable reads the state of what it was made for, and keeps no state of its own. */
  [NOTE_STATE](): PutBack {
    return nothingToPutBack;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
  }

  static {
    expectPollable = (pollable) => {
      void (pollable as Pollable).#readiness;
      return pollable as Pollable;
    };
    waitMs = (pollable) => pollable.#waitMs();
    isPollable = (value) => #readiness in value;
  }
}
seal(Pollable);

/** Answers at once where a pollable is ready. */
function poll(context: GuestContext, pollables: unknown): Uint32Array | Promise<Uint32Array> {
  let polled: Pollable[];
  try {
    polled = expectArray(pollables).map((pollable) => expectPollable(pollable));
  } catch {
    return context.trapPending("poll was called with something that is not a pollable");
  }
  if (polled.length === 0) return context.trapPending("poll was called with an empty list");
  if (polled.length > MAX_POLLED) return context.trapPending(`poll was called with more than ${MAX_POLLED}`);
  const waits = polled.map((pollable) => waitMs(pollable));
  return readyOf(waits) ?? untilReady(context, polled, waits);
}

async function untilReady(
  context: GuestContext,
  polled: readonly Pollable[],
  firstWaits: readonly number[],
): Promise<Uint32Array> {
  for (let waits = firstWaits; ; waits = polled.map((pollable) => waitMs(pollable))) {
    const ready = readyOf(waits);
    if (ready !== undefined) return ready;
    await context.sleep(Math.min(...waits));
  }
}

function readyOf(waits: readonly number[]): Uint32Array | undefined {
  if (!waits.includes(0)) return undefined;
  return Uint32Array.from(waits.keys().filter((index) => waits[index] === 0));
}

export function createPoll(context: GuestContext): Namespace {
  const functions = { poll: (pollables: unknown) => poll(context, pollables) } satisfies Functions<
    typeof PublishedPoll
  >;
  const block = (): Promise<never> => context.trapPending("block was called on a handle that is not the guest's");
  return namespace({ Pollable: classWithForgedMethods(Pollable, isPollable, { block }), ...functions });
}

export function createMonotonicClock(context: GuestContext): Namespace {
  const now = (): bigint => BigInt(nowMs()) * NS_PER_MS;
  return namespace({
    now,
    resolution: () => NS_PER_MS,
    subscribeInstant: (when: unknown) => new Pollable(HOST_ONLY, context, expectU64(when)),
    subscribeDuration: (when: unknown) => new Pollable(HOST_ONLY, context, now() + expectU64(when)),
  } satisfies Functions<typeof PublishedClock>);
}
