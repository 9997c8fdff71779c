/**
 * Clients that read and write a few keys at the same time, each key a register, and the history of what they saw.
 *
 * @module
 */

import { expect } from "vitest";
import { isLinearizable, type RegisterEvent } from "./linearizability.ts";

/** Reads and writes registers by name. What fails rejects with an error whose `code` is one of the error table's. */
export interface Registers {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

export interface WorkloadOptions {
  /** Each client has one operation at a time, through the registers of its own. */
  readonly clients: readonly Registers[];
  readonly keys: readonly string[];
  /** Share of writes, 0 to 1. */
  readonly writes: number;
  /** Asked before each operation. */
  readonly goesOn: () => boolean;
}

/** What the clients did and saw. */
export class RegisterHistory {
  readonly #events = new Map<string, RegisterEvent[]>();
  readonly outcomes: Record<string, number> = {};
  #values = 0;

  /** Lets the clients work until they are told to stop. */
  async run({ clients, keys, writes, goesOn }: WorkloadOptions): Promise<void> {
    await Promise.all(
      clients.map(async (registers) => {
        while (goesOn()) {
          const key = keys[Math.floor(Math.random() * keys.length)] as string;
          await (Math.random() < writes ? this.#write(registers, key) : this.#read(registers, key));
        }
      }),
    );
  }

  /** Operations that had a result. */
  get successes(): number {
    return this.outcomes["ok"] ?? 0;
  }

  /** Every key's history is linearizable. */
  expectLinearizable(): void {
    for (const [key, events] of this.#events) {
      const isSound = isLinearizable(events);
      const shown = events.map(
        ({ kind, value, start, end }) => `${start.toFixed(3)}-${end.toFixed(3)} ${kind} ${value}`,
      );
      expect(isSound, `the history of ${key} is linearizable:\n${shown.join("\n")}`).toBe(true);
    }
  }

  async #write(registers: Registers, key: string): Promise<void> {
    this.#values += 1;
    const value = `v${this.#values}`;
    const start = performance.now();
    try {
      await registers.set(key, value);
      this.#add(key, { kind: "write", value, start, end: performance.now() });
      this.#count("ok");
    } catch (error) {
      const code = codeOf(error);
      this.#count(code);
      // "Nothing was written": it must never be seen. With any other error it may have happened, or happen yet.
      if (code !== "store-unavailable") this.#add(key, { kind: "write", value, start, end: Infinity });
    }
  }

  async #read(registers: Registers, key: string): Promise<void> {
    const start = performance.now();
    try {
      const value = await registers.get(key);
      this.#add(key, { kind: "read", value, start, end: performance.now() });
      this.#count("ok");
    } catch (error) {
      this.#count(codeOf(error));
    }
  }

  #add(key: string, event: RegisterEvent): void {
    const events = this.#events.get(key) ?? [];
    this.#events.set(key, events);
    events.push(event);
  }

  #count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
