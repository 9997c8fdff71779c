/** One stack for many calls: what goes in and comes out, how a call fails, how it ends. */

import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parse } from "@bytecodealliance/jco";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CoreFunction } from "../../../src/runner/linker/canon.ts";
import { StandingCall } from "../../../src/runner/linker/standing-call.ts";
import { type CoreSignature, encodeStandingLoop } from "../../../src/runner/linker/standing-loop.ts";
import { Suspension } from "../../../src/runner/suspension.ts";

/** V8's own, which collects everything that can be. */
function exposeCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

const TYPES = ["i32", "i64", "f32", "f64"] as const;

async function instantiate(text: string, imports: WebAssembly.Imports = {}): Promise<Record<string, unknown>> {
  return new WebAssembly.Instance(new WebAssembly.Module(await parse(text)), imports).exports;
}

function standing(core: unknown, signature: CoreSignature, suspension = new Suspension()): StandingCall {
  return new StandingCall(new WebAssembly.Module(encodeStandingLoop(signature)), core as CoreFunction, suspension);
}

const TWO_TO_ONE: CoreSignature = { params: ["i32", "i32"], results: ["i32"] };

/** Adds its second argument to what the host answers to the first, which it waits for. */
const WAITS = `(module
  (import "" "ask" (func $ask (param i32) (result i32)))
  (func (export "run") (param i32 i32) (result i32)
    (if (i32.eqz (local.get 1)) (then unreachable))
    (i32.add (call $ask (local.get 0)) (local.get 1))))`;

async function waiting(ask: (value: number, suspension: Suspension) => unknown) {
  const suspension = new Suspension();
  const imports = { "": { ask: new WebAssembly.Suspending((value) => ask(value as number, suspension)) } };
  const { run } = await instantiate(WAITS, imports);
  return { call: standing(run, TWO_TO_ONE, suspension), suspension };
}

describe("the loop", () => {
  it("passes values of every type, each call its own, for any signature", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...TYPES), { maxLength: 16 }), fc.integer(), async (params, seed) => {
        const last = params.at(-1);
        const results = last === undefined ? [] : [last];
        const { run } = await instantiate(`(module (func (export "run")
            ${params.length === 0 ? "" : `(param ${params.join(" ")})`}
            ${last === undefined ? "" : `(result ${last}) (local.get ${params.length - 1})`}))`);
        const call = standing(run, { params, results });
        for (let turn = 0; turn < 3; turn++) {
          const number = (seed + turn) % 1_000;
          const flat = params.map((type, index) => (type === "i64" ? BigInt(number + index) : number + index));
          expect(await call.call(flat)).toBe(flat.at(-1));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a standing call", () => {
  it("serves one call after the other, whether they wait for something or not", async () => {
    const { call } = await waiting((value) => (value % 2 === 0 ? value : Promise.resolve(value)));
    for (let turn = 1; turn <= 1_000; turn++) expect(await call.call([turn, 5])).toBe(turn + 5);
  });

  it("rejects with the guest's trap, in the first call and in a later one", async () => {
    const first = await waiting((value) => value);
    await expect(first.call.call([1, 0])).rejects.toBeInstanceOf(WebAssembly.RuntimeError);
    const later = await waiting((value) => Promise.resolve(value));
    expect(await later.call.call([1, 1])).toBe(2);
    await expect(later.call.call([1, 0])).rejects.toBeInstanceOf(WebAssembly.RuntimeError);
  });

  it("is unwound by the end of its suspension while it waits for the host", async () => {
    const never = new Promise<number>(() => undefined);
    const { call, suspension } = await waiting((_, own) => own.wait(never, Number, String));
    const ending = call.call([1, 1]);
    suspension.end();
    await expect(ending).rejects.toThrow("the call has ended");
  });

  it("is collected once its suspension has ended between two calls: no stack holds it any more", async () => {
    const collectGarbage = exposeCollector();
    const served = async (): Promise<{ readonly call: WeakRef<StandingCall>; readonly suspension: Suspension }> => {
      const { call, suspension } = await waiting((value) => Promise.resolve(value));
      expect(await call.call([1, 1])).toBe(2);
      return { call: new WeakRef(call), suspension };
    };
    const { call, suspension } = await served();
    suspension.end();
    // What was looked at in a turn is kept until its end.
    await turn();
    collectGarbage();
    await turn();
    expect(call.deref()).toBeUndefined();
  });

  it("begins a call that follows in a microtask that is queued when the call is made", async () => {
    const order: string[] = [];
    const { call } = await waiting((value) => {
      order.push("begun");
      return value;
    });
    await call.call([1, 1]);
    const second = call.call([1, 1]);
    order.push("called");
    await Promise.resolve();
    order.push("a microtask later");
    await second;
    expect(order).toEqual(["begun", "called", "begun", "a microtask later"]);
  });
});
