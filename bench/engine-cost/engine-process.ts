/**
 * Measures one engine, in a process of its own: loading an engine seals the process that it is in. Started by
 * `engine-cost-run.ts` with the artifact's folder, a method and the engine's name; prints a line for each round.
 *
 * Key-value operations are answered at once: there is no value, and every write succeeds.
 *
 * @module
 */

import process from "node:process";
import type { KeyValueResult } from "../../src/capabilities/key-value/messages.ts";
import { ENGINE_CHOICES } from "../../src/contract/artifact.ts";
import type { Engine, Instance } from "../../src/runner/engine.ts";
import { type CallPort, GuestContext } from "../../src/runner/guest/guest-context.ts";
import { loadEngine } from "../../src/runner/load-engine.ts";
import { BenchError } from "../bench-error.ts";
import { median } from "../figures/statistics.ts";

const ROUNDS = 7;
const FRESH_PER_ROUND = 500;
const CALLS_PER_ROUND = 5_000;
/** Calls between two turns of the event loop, as a busy runner has them. */
const CALLS_PER_TURN = 50;
const LOG_BYTES = 64 * 1024;
const NOTHING: KeyValueResult = { kind: "none" };
const STORE = { perform: (): Promise<KeyValueResult> => Promise.resolve(NOTHING) };

const [folder = "", method = "", engineName] = process.argv.slice(2);
const choice = ENGINE_CHOICES.find((name) => name === engineName);
if (choice === undefined) throw new BenchError(`there is no engine ${engineName}`);

const request = { id: "bench", method, payload: new Uint8Array(64) };
const port: CallPort = {
  log: () => undefined,
  output: () => undefined,
  trapped: (message) => {
    throw new BenchError(`the plugin trapped: ${message}`);
  },
  capability: () => STORE,
};

const micros = (values: readonly number[]): string => (median(values) * 1_000).toFixed(1);

async function run(instance: Instance): Promise<void> {
  const outcome = await instance.handleRequest(request);
  if (outcome.kind !== "ok") throw new BenchError(`the call ended as ${JSON.stringify(outcome)}`);
}

async function measureFresh(engine: Engine): Promise<string> {
  const [creations, firstCalls]: [number[], number[]] = [[], []];
  for (let call = 1; call <= FRESH_PER_ROUND; call++) {
    const context = new GuestContext(LOG_BYTES);
    const start = performance.now();
    const instance = await engine.instantiate(context);
    const created = performance.now();
    context.bind(port);
    await run(instance);
    firstCalls.push(performance.now() - created);
    creations.push(created - start);
    context.retire();
    if (call % CALLS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return `instantiate ${micros(creations)}, first call ${micros(firstCalls)}`;
}

/** The same instances again and again, put back after each call where the engine can. */
async function measureRestored(engine: Engine, poolSize: number): Promise<string> {
  const contexts = Array.from({ length: poolSize }, () => new GuestContext(LOG_BYTES));
  const pool = await Promise.all(
    contexts.map(async (context) => ({ context, instance: await engine.instantiate(context) })),
  );
  let restored = 0;
  const turns = Math.ceil(CALLS_PER_ROUND / poolSize);
  const start = performance.now();
  for (let turn = 0; turn < turns; turn++) {
    await Promise.all(
      pool.map(async ({ context, instance }) => {
        context.bind(port);
        await run(instance);
        context.retire();
        const restoration = instance.restore();
        if (restoration === "impossible") context.renew();
        else restored += 1;
        if (restoration === "unstarted") instance.start();
      }),
    );
    if (turn % CALLS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const each = (((performance.now() - start) * 1_000) / turns / poolSize).toFixed(1);
  return `${poolSize}: ${each}${restored === 0 ? " (not restored)" : ""}`;
}

// From here on most globals are gone: the engine seals its process.
const engine = await loadEngine(folder, choice);
console.log(`${choice}: µs; the first rounds warm up`);
for (let round = 1; round <= ROUNDS; round++) {
  const fresh = await measureFresh(engine);
  const again: string[] = [];
  for (const poolSize of [1, 16, 64]) again.push(await measureRestored(engine, poolSize));
  console.log(`round ${round}: ${fresh}; call and restore in a pool of ${again.join(", ")}`);
}
process.exit(0);
