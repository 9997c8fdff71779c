/**
 * To which state the instances of a component are put back: the one that they are in once their start functions have run, or
 * the one before that, from which the start functions run again.
 *
 * The later one is cheaper and the usual one. The earlier one is for components whose start functions are told something that
 * differs from instance to instance, such as the time or a random value (`answers-alike.ts`): putting back what a guest made
 * of that would repeat it in every request. Before the start functions nothing of the guest has run, so nothing was told; when
 * they run again, the host answers them anew, as it answers those of a new instance.
 *
 * @module
 */

import type { LinkPlan } from "../../contract/link-plan.ts";
import type { InstanceAudit } from "./instance-audit.ts";
import type { LinkedInstance } from "./linked-instance.ts";
import { SharedSnapshot, Snapshot } from "./snapshot.ts";

/** The state to which an instance is put back, and whether its start functions have run by then. */
export interface FirstState {
  readonly kind: "started" | "unstarted";
  readonly snapshot: Snapshot;
}

/** Starts the instances of one component, and says what each is put back to. */
export class FirstStates {
  readonly #plan: LinkPlan;
  readonly #audit: InstanceAudit | undefined;
  /** The first instance that starts decides for all: their start functions all do the same until they are told something. */
  #kind: FirstState["kind"] | "undecided";
  readonly #shared: { started?: SharedSnapshot; unstarted?: SharedSnapshot } = {};

  constructor(plan: LinkPlan, audit: InstanceAudit | undefined) {
    this.#plan = plan;
    this.#audit = audit;
    this.#kind = plan.starts === "later" ? "undecided" : "started";
  }

  /**
   * Runs the start functions of an instance that has just been made; throws what they throw. Returns `undefined` where the
   * instance cannot be put back.
   */
  start(linked: LinkedInstance): FirstState | undefined {
    const isRestorable = this.#plan.freshness.kind === "restorable";
    const unstarted = isRestorable && this.#kind !== "started" ? this.#note(linked, "unstarted") : undefined;
    linked.start();
    if (!isRestorable) return undefined;
    if (this.#kind === "undecided") this.#decide(linked);
    if (this.#kind === "started") return linked.wasTold ? undefined : this.#note(linked, "started");
    // What the start functions grow a memory by belongs to the reserve of those that come.
    unstarted?.snapshot.checkSize();
    return unstarted;
  }

  #decide(linked: LinkedInstance): void {
    this.#kind = linked.wasTold ? "unstarted" : "started";
    if (this.#kind === "started") delete this.#shared.unstarted;
  }

  #note(linked: LinkedInstance, kind: FirstState["kind"]): FirstState | undefined {
    const shared = (this.#shared[kind] ??= new SharedSnapshot(linked, this.#plan));
    const snapshot = Snapshot.of(linked, this.#plan, shared);
    if (snapshot === undefined) return undefined;
    this.#audit?.noteSnapshot(linked);
    return { kind, snapshot };
  }
}
