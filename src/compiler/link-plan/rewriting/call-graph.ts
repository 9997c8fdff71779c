/**
 * Which functions of a core module must look at the stop flag when they begin, so that no chain of calls runs on without a
 * look, however the functions call each other:
 *
 * - those that call what is not known here: through a table, a reference or an import. So each way around through other
 *   functions or modules has a look.
 * - of each cycle of direct calls, one function or more.
 * - those that do much until the next look: they, and all that they call without one, have more than {@link HEAVY_BYTES} of
 *   code. Without that, functions that call each other twice, in a row of thirty, would run for minutes.
 *
 * All others are small and end soon, and are called the most: a look in each would cost more than in all the rest. Where one
 * function calls very many of them, it must look in between: {@link StopPlaces.weightOf} says how much each of them does.
 *
 * @module
 */

import { ByteReader } from "../../../component/byte-reader.ts";
import { walkBody } from "../../../component/core/instructions.ts";
import { OPCODE, SECTION } from "../../../core-wasm/format.ts";
import type { ModuleEdits } from "./module-edits.ts";

/** This much code runs in some ten microseconds, however it branches. */
export const HEAVY_BYTES: number = 16 * 1024;

export const DIRECT_CALLS: ReadonlySet<number> = new Set([OPCODE.call, OPCODE.returnCall]);

const OTHER_CALLS: ReadonlySet<number> = new Set([
  OPCODE.callIndirect,
  OPCODE.returnCallIndirect,
  OPCODE.callRef,
  OPCODE.returnCallRef,
]);

const OPCODE_BYTES = 1;

/** What a function that the module defines calls. */
interface Caller {
  readonly bytes: number;
  /** Places of functions that the module defines, each as often as there are calls of it. */
  readonly callees: readonly number[];
  readonly callsUnknown: boolean;
}

/** Where the code of a module must look. */
export interface StopPlaces {
  /** The functions that must look when they begin, by their indices, imports included. */
  readonly functions: ReadonlySet<number>;
  /** How much code a call of a function runs until it has ended or looks, loops apart, in bytes. */
  weightOf(index: number): number;
}

export function findStopPlaces(edits: ModuleEdits): StopPlaces {
  const imported = edits.imported("func");
  const walk = new CallWalk(readCallers(edits, imported));
  const functions = new Set(walk.check().map((place) => imported + place));
  return { functions, weightOf: (index) => (functions.has(index) ? 0 : walk.weightOf(index - imported)) };
}

/** The function that an instruction calls, as `call` and `return_call` have it: one byte, and an index. */
export function calleeOf(bytes: Uint8Array): number {
  return ByteReader.of(bytes.subarray(OPCODE_BYTES), "instruction").u32();
}

function readCallers({ sections }: ModuleEdits, imported: number): Caller[] {
  const callers: Caller[] = [];
  sections.read(SECTION.code)?.skipVector((reader) => callers.push(readCaller(reader.sub(reader.u32()), imported)));
  return callers;
}

function readCaller(body: ByteReader, imported: number): Caller {
  const bytes = body.rest();
  const first = body.offset;
  const callees: number[] = [];
  let callsUnknown = false;
  walkBody(body, (opcode, start, end) => {
    if (OTHER_CALLS.has(opcode)) callsUnknown = true;
    if (!DIRECT_CALLS.has(opcode)) return;
    const callee = calleeOf(bytes.subarray(start - first, end - first));
    if (callee < imported) callsUnknown = true;
    else callees.push(callee - imported);
  });
  return { bytes: bytes.length, callees, callsUnknown };
}

/** A function that the walk is in, and the next of its callees to look at. */
interface Step {
  readonly place: number;
  next: number;
}

/** Walks from each function to those that it calls, as deep as it goes. Not by recursion: chains may be long. */
class CallWalk {
  readonly #callers: readonly Caller[];
  readonly #states: ("entered" | "left" | undefined)[] = [];
  readonly #isChecked: boolean[] = [];
  /** Code that runs from the function's begin to its end without a look, loops apart. */
  readonly #weights: number[] = [];

  constructor(callers: readonly Caller[]) {
    this.#callers = callers;
  }

  /** The places of the functions that must look. */
  check(): number[] {
    for (const place of this.#callers.keys()) if (this.#states[place] === undefined) this.#walkFrom(place);
    return [...this.#callers.keys()].filter((place) => this.#isChecked[place]);
  }

  /** Of a function that need not look, once {@link check} has walked; of an import nothing is known. */
  weightOf(place: number): number {
    return this.#weights[place] ?? 0;
  }

  #walkFrom(place: number): void {
    const path: Step[] = [this.#enter(place)];
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const callee = this.#callers[step.place]?.callees[step.next];
      step.next += 1;
      if (callee === undefined) {
        this.#leave(step.place);
        path.pop();
      } else if (this.#states[callee] === undefined) path.push(this.#enter(callee));
      // The walk came from there: this call closes a cycle.
      else if (this.#states[callee] === "entered") this.#isChecked[callee] = true;
    }
  }

  #enter(place: number): Step {
    this.#states[place] = "entered";
    return { place, next: 0 };
  }

  #leave(place: number): void {
    this.#states[place] = "left";
    const { bytes, callees, callsUnknown } = this.#callers[place] as Caller;
    let weight = bytes;
    for (const callee of callees) if (!this.#isChecked[callee]) weight += this.#weights[callee] ?? 0;
    this.#weights[place] = weight;
    if (callsUnknown || weight > HEAVY_BYTES) this.#isChecked[place] = true;
  }
}
