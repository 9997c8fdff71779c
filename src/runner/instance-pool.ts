/**
 * Instances prepared ahead, so that a request need not wait for one. The pool makes them in idle moments only: one at a
 * time, after a turn of the event loop in which nothing arrived. Their number follows demand, up to a maximum, and falls
 * when demand falls.
 *
 * Every request starts on fresh state. An instance returns to the pool only after a call that returned by itself, and only
 * where its engine has put it back to its state before the first call. Last in, first out: a few instances do most of the
 * work, and the pool can drop the rest.
 *
 * @module
 */

import { threadCpuUsage } from "node:process";
import { LogRate } from "../contract/log-rate.ts";
import type { Engine, Instance } from "./engine.ts";
import { type CallEnding, GuestContext } from "./guest/guest-context.ts";
import type { MemoryReclaimer } from "./memory-reclaimer.ts";

/** An instance and what it may do. Both serve one call at a time. */
export interface PreparedInstance {
  readonly instance: Instance;
  readonly context: GuestContext;
}

/** Bounds of a pool. */
export interface InstancePoolOptions {
  readonly engine: Engine;
  readonly maxIdle: number;
  /** The most bytes of linear memory in all waiting instances together; a single one may wait whatever its size. */
  readonly maxIdleBytes: number;
  readonly logBytes: number;
  readonly reclaimer: MemoryReclaimer;
  /** Called for each instance made, with the processor time of this thread that it took, in microseconds. */
  readonly made: (micros: number) => void;
}

/** How often the pool adapts to demand. */
const DEMAND_WINDOW_MS = 5_000;

/** The instances of one runner. */
export class InstancePool {
  readonly #options: InstancePoolOptions;
  readonly #idle: PreparedInstance[] = [];
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
    return this.#idle.length;
  }

  /** Makes the first instance, which proves that the artifact can be instantiated. Rejects with what the guest throws. */
  async open(): Promise<void> {
    const first = await this.#make();
    if (this.#wanted > 0) this.#keep(first);
  }

  /** Something arrived: the pool prepares no instance in this turn of the event loop. */
  noteActivity(): void {
    this.#busy = true;
  }

  /**
   * Returns a fresh instance: at once where one is prepared. Rejects with what the guest throws. The caller must
   * {@link release} it.
   */
  take(): PreparedInstance | Promise<PreparedInstance> {
    if (this.#preparation === "failed") this.#preparation = "none";
    const waiting = this.#idle.pop();
    this.#inUse += 1;
    this.#schedule();
    if (waiting === undefined) return this.#makeInUse();
    this.#noteDemand();
    return waiting;
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
    if (ending === "returned" && this.#idle.length < this.#wanted) {
      this.#comesBack = instance.restore();
      if (this.#comesBack) {
        context.renew();
        this.#keep(prepared);
        return;
      }
    }
    this.#options.reclaimer.note(instance.memoryBytes);
    instance.destroy();
    this.#schedule();
  }

  #keep(prepared: PreparedInstance): void {
    this.#instanceBytes = prepared.instance.memoryBytes;
    this.#idle.push(prepared);
  }

  /** The most instances that may wait. */
  get #most(): number {
    const { maxIdle, maxIdleBytes } = this.#options;
    const fitting = this.#instanceBytes === 0 ? maxIdle : Math.floor(maxIdleBytes / this.#instanceBytes);
    return Math.min(maxIdle, Math.max(1, fitting));
  }

  /** Instances that are ready for coming requests, or are expected to be. */
  get #coming(): number {
    return this.#idle.length + (this.#comesBack ? this.#inUse : 0);
  }

  async #makeInUse(): Promise<PreparedInstance> {
    try {
      const made = await this.#make();
      this.#noteDemand();
      return made;
    } catch (error) {
      this.#inUse -= 1;
      throw error;
    }
  }

  async #make(): Promise<PreparedInstance> {
    const before = threadCpuUsage();
    const context = new GuestContext(this.#options.logBytes, this.#logRate);
    const instance = await this.#options.engine.instantiate(context);
    const { user, system } = threadCpuUsage(before);
    this.#options.made(user + system);
    return { context, instance };
  }

  #schedule(): void {
    if (this.#preparation !== "none" || this.#coming >= this.#wanted) return;
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
      if (this.#coming < this.#wanted) this.#keep(await this.#make());
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
    const surplus = Math.max(0, this.#idle.length - this.#wanted);
    for (const { instance } of this.#idle.splice(0, surplus)) {
      this.#options.reclaimer.note(instance.memoryBytes);
      instance.destroy();
    }
    if (this.#wanted > 1) return;
    clearInterval(this.#window);
    this.#window = undefined;
  }
}
