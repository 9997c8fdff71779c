/**
 * Instances prepared ahead, so that a request need not wait for one. The pool makes them in idle moments only: one at a
 * time, after a turn of the event loop in which nothing arrived. Their number follows demand, up to a maximum, and falls
 * when demand falls.
 *
 * Every request starts on fresh state. An instance returns to the pool only after a call that returned by itself, and only
 * where its engine has put it back to its first state. Where its start functions must run again from there, they run in an
 * idle moment too, or when a request needs the instance. Last in, first out: a few instances do most of the work, and the pool
 * can drop the rest. A request that finds none may wait for one that is in use: `returning-instances.ts`.
 *
 * @module
 */

import { threadCpuUsage } from "node:process";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { LogRate } from "../contract/log-rate.ts";
import { machineMs } from "../scheduling/machine-clock.ts";
import type { Due, Engine, Instance, Restoration } from "./engine.ts";
import { type CallEnding, GuestContext } from "./guest/guest-context.ts";
import type { MemoryReclaimer } from "./memory-reclaimer.ts";
import { ReturningInstances } from "./returning-instances.ts";
import { WaitingInstances } from "./waiting-instances.ts";

/** An instance and what it may do. Both serve one call at a time. */
export interface PreparedInstance {
  readonly instance: Instance;
  readonly context: GuestContext;
}

/** An instance that was put back. */
interface Returned {
  readonly prepared: PreparedInstance;
  readonly state: Exclude<Restoration, "impossible">;
}

/** Bounds of a pool. */
export interface InstancePoolOptions {
  readonly engine: Engine;
  readonly maxIdle: number;
  /** The most bytes of linear memory in all waiting instances together; a single one may wait whatever its size. */
  readonly maxIdleBytes: number;
  readonly logBytes: number;
  readonly reclaimer: MemoryReclaimer;
  /** Called for each instance made or started again, with the processor time of this thread that it took, in microseconds. */
  readonly made: (micros: number) => void;
}

/** How often the pool adapts to demand. */
const DEMAND_WINDOW_MS = 5_000;

/** The instances of one runner. */
export class InstancePool {
  readonly #options: InstancePoolOptions;
  readonly #waiting = new WaitingInstances<PreparedInstance>();
  readonly #returning = new ReturningInstances<Returned>();
  /** All instances of the process log at one rate. */
  readonly #logRate = new LogRate();
  #wanted: number;
  /** The most instances in use at a time in this window of demand. */
  #peakInUse = 0;
  #inUse = 0;
  /** Could the instance of the last call that returned be put back? Then expect those in use to come back, too. */
  #comesBack = false;
  /** Bytes of linear memory of the last instance that was kept. */
  #instanceBytes = 0;
  #preparation: "none" | "scheduled" | "failed" = "none";
  /** Did something arrive since the last turn of the event loop? */
  #busy = false;
  #window: NodeJS.Timeout | undefined;

  constructor(options: InstancePoolOptions) {
    this.#options = options;
    this.#wanted = Math.min(1, options.maxIdle);
  }

  /** Instances that wait for a request. */
  get idleCount(): number {
    return this.#waiting.count;
  }

  /**
   * Makes the first instance, which proves that the artifact can be instantiated. Rejects with what the guest throws. Its host
   * judges by the processor how long that may take.
   */
  async open(): Promise<void> {
    const first = await this.#make(undefined);
    if (this.#wanted > 0) this.#keep(first, "ready");
  }

  /** Something arrived: the pool prepares no instance in this turn of the event loop. */
  noteActivity(): void {
    this.#busy = true;
  }

  /**
   * Returns a fresh instance: at once where one is prepared; one that is made or started is due then, too. Rejects with what the guest
   * throws. The caller must {@link release} it, or {@link giveBack}.
   */
  take(due?: Due): PreparedInstance | Promise<PreparedInstance> {
    if (this.#preparation === "failed") this.#preparation = "none";
    const ready = this.#waiting.takeReady();
    if (ready === undefined) return this.#prepareInUse(due);
    this.#inUse += 1;
    this.#schedule();
    this.#noteDemand();
    return ready;
  }

  /**
   * Takes an instance back and cuts it off from its call. Call it once for each {@link take}. An instance that cannot serve
   * again is unwound, and its memory counts as garbage.
   */
  release(prepared: PreparedInstance, ending: CallEnding): void {
    const { instance, context } = prepared;
    this.#inUse -= 1;
    context.retire();
    // An instance without room in the pool is not put back, so it says nothing about those in use.
    if (ending === "returned" && this.#hasRoom) {
      const restoration = instance.restore();
      this.#comesBack = restoration !== "impossible";
      if (restoration !== "impossible") {
        this.#keep(prepared, restoration);
        if (restoration === "unstarted") this.#schedule();
        return;
      }
    }
    this.#drop(prepared);
  }

  /** Takes an instance back that no call has used, in place of {@link release}: nobody has to put it back. */
  giveBack(prepared: PreparedInstance): void {
    this.#inUse -= 1;
    const isSound = prepared.context.trapMessage === undefined;
    if (isSound && this.#hasRoom) this.#keep(prepared, "ready");
    else this.#drop(prepared);
  }

  get #hasRoom(): boolean {
    return this.#waiting.count < this.#wanted || this.#returning.isAwaited;
  }

  #drop(prepared: PreparedInstance): void {
    this.#discard(prepared);
    if (!this.#mayReturn) this.#returning.giveUp();
    this.#schedule();
  }

  #keep(prepared: PreparedInstance, state: Returned["state"]): void {
    this.#instanceBytes = prepared.instance.memoryBytes;
    if (!this.#returning.give({ prepared, state })) this.#waiting.add(prepared, state);
  }

  #discard({ instance }: PreparedInstance): void {
    this.#options.reclaimer.note(instance.memoryBytes);
    instance.destroy();
  }

  /** The most instances that may wait. */
  get #most(): number {
    const { maxIdle, maxIdleBytes } = this.#options;
    const fitting = this.#instanceBytes === 0 ? maxIdle : Math.floor(maxIdleBytes / this.#instanceBytes);
    return Math.min(maxIdle, Math.max(1, fitting));
  }

  /** Instances that are ready for coming requests, or are expected to be. */
  get #coming(): number {
    return this.#waiting.count + (this.#comesBack ? this.#inUse : 0);
  }

  /** Is one in use that will be put back, as far as one can tell? */
  get #mayReturn(): boolean {
    return this.#comesBack && this.#inUse > 0;
  }

  async #prepareInUse(due: Due): Promise<PreparedInstance> {
    const returned = this.#takeUnstarted() ?? (this.#mayReturn ? await this.#awaitReturned() : undefined);
    this.#inUse += 1;
    this.#schedule();
    try {
      const prepared = await this.#serve(returned, due);
      this.#noteDemand();
      return prepared;
    } catch (error) {
      this.#inUse -= 1;
      throw error;
    }
  }

  #takeUnstarted(): Returned | undefined {
    const prepared = this.#waiting.takeUnstarted();
    return prepared && { prepared, state: "unstarted" };
  }

  #awaitReturned(): Promise<Returned | undefined> {
    return this.#returning.wait(this.#waiting.count + this.#inUse < this.#most ? "for-many" : "for-one");
  }

  async #serve(returned: Returned | undefined, due: Due): Promise<PreparedInstance> {
    if (returned === undefined) return await this.#make(due);
    return returned.state === "ready" ? returned.prepared : this.#start(returned.prepared, due);
  }

  async #make(due: Due): Promise<PreparedInstance> {
    const before = threadCpuUsage();
    const context = new GuestContext(this.#options.logBytes, this.#logRate);
    const instance = await this.#options.engine.instantiate(context, due);
    this.#returning.noteMade(this.#tellTime(before) / 1_000);
    return { context, instance };
  }

  /** Throws what the guest throws; then the instance is gone. */
  #start(unstarted: PreparedInstance, due: Due): PreparedInstance {
    const before = threadCpuUsage();
    try {
      unstarted.instance.start(due);
    } catch (error) {
      this.#discard(unstarted);
      throw error;
    }
    this.#tellTime(before);
    return unstarted;
  }

  /** Returns the processor time since then, in microseconds. */
  #tellTime(before: NodeJS.CpuUsage): number {
    const { user, system } = threadCpuUsage(before);
    this.#options.made(user + system);
    return user + system;
  }

  #schedule(): void {
    if (this.#preparation !== "none" || (!this.#waiting.hasUnstarted && this.#coming >= this.#wanted)) return;
    this.#preparation = "scheduled";
    this.#busy = true;
    setImmediate(() => void this.#prepare());
  }

  async #prepare(): Promise<void> {
    if (this.#busy) {
      this.#busy = false;
      setImmediate(() => void this.#prepare());
      return;
    }
    try {
      const due = machineMs(performance.now() + FIXED_LIMITS.idleComputeMs);
      const unstarted = this.#waiting.takeUnstarted();
      if (unstarted !== undefined) this.#keep(this.#start(unstarted, due), "ready");
      else if (this.#coming < this.#wanted) this.#keep(await this.#make(due), "ready");
      this.#preparation = "none";
    } catch {
      // The next request makes an instance itself, and reports the error.
      this.#preparation = "failed";
    }
    this.#schedule();
  }

  #noteDemand(): void {
    if (this.#inUse <= this.#peakInUse) return;
    this.#peakInUse = this.#inUse;
    this.#wanted = Math.min(this.#most, Math.max(this.#wanted, this.#inUse));
    if (this.#wanted > 1) this.#window ??= setInterval(() => this.#adapt(), DEMAND_WINDOW_MS).unref();
  }

  /** Halves the wanted number, not below the last window's peak, and drops instances beyond it, longest idle first. */
  #adapt(): void {
    const floor = Math.max(1, this.#peakInUse);
    this.#peakInUse = this.#inUse;
    this.#wanted = Math.min(this.#wanted, Math.max(floor, Math.floor(this.#wanted / 2)));
    for (const surplus of this.#waiting.remove(Math.max(0, this.#waiting.count - this.#wanted))) this.#discard(surplus);
    if (this.#wanted > 1) return;
    clearInterval(this.#window);
    this.#window = undefined;
  }
}
