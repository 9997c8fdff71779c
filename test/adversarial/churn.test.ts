/**
 * Loads, traps and kills in a row, after which everything is as it was: an hour of bad days in a minute. The number
 * of rounds is small here; `CHURN_ROUNDS=10000` (npm run churn) asks for more.
 *
 * @module
 */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assemblePlugin } from "../fixtures/wat/assemble.ts";
import { COMPONENTS, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { childrenOf } from "../harness/processes.ts";
import { until } from "../../scripts/lib/until.ts";
import { type Actor, descriptorsOf, openScene, type Scene } from "./scene.ts";

const MIB = 1024 * 1024;
const ROUNDS = Number(process.env["CHURN_ROUNDS"] ?? 300);
/** A round is one trap, and every so many rounds also one of the others. */
const LOAD_EVERY = 20;
const KILL_EVERY = 30;
const ROUNDS_AT_A_TIME = 10;
const MEMORY_MARGIN_BYTES = 64 * MIB;
const MS_PER_ROUND = 1_500;
const OVERHEAD_MS = 60_000;

const TRAPS = ["trap", "recurse", "exit", "over-permit", "forged-handle", "bad-text", "bad-pointer"];
const CHURNED = uniqueName("churned");

test(
  `${ROUNDS} loads, traps and kills leave no memory, no descriptor, no process and no file behind`,
  async () => {
    const cache = await mkdtemp(join(tmpdir(), "churn-"));
    try {
      await using scene = await openScene({
        // One process, so that its end and its return are those of the plugin.
        actors: {
          victim: { component: COMPONENTS.gauntlet("read-write"), policy: { ...READ_WRITE, limits: { runners: 1 } } },
        },
        replica: { args: ["--cache", cache] },
      });
      // Everything that is made once is there before it is counted.
      await churn(scene, LOAD_EVERY * 2);
      const before = await inventory(scene, cache);
      await churn(scene, ROUNDS);
      // Fewer is as good: connections of the tests' own questions to the health server end by themselves.
      const isMore = async (): Promise<boolean> => excessOf(await inventory(scene, cache), before).length > 0;
      await until(async () => !(await isMore()), { what: "nothing is left behind" }).catch(() => {});
      expect(excessOf(await inventory(scene, cache), before)).toEqual([]);
      await scene.unharmed();
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  },
  ROUNDS * MS_PER_ROUND + OVERHEAD_MS,
);

/** What could be left behind. */
interface Inventory {
  readonly memoryBytes: number;
  readonly descriptors: number;
  readonly children: number;
  readonly temporaryFiles: number;
}

/** What there is more of than before. */
function excessOf(after: Inventory, before: Inventory): string[] {
  const margins = { memoryBytes: MEMORY_MARGIN_BYTES, descriptors: 0, children: 0, temporaryFiles: 0 };
  const kinds = Object.keys(margins) as (keyof Inventory)[];
  return kinds
    .filter((kind) => after[kind] > before[kind] + margins[kind])
    .map((kind) => `${kind}: ${after[kind]}, and ${before[kind]} before`);
}

async function inventory(scene: Scene<"victim">, cache: string): Promise<Inventory> {
  const { pid } = scene.replica;
  const names = await readdir(cache, { recursive: true });
  return {
    memoryBytes: await scene.hostMemoryBytes(),
    descriptors: (await descriptorsOf(pid)).size,
    children: (await childrenOf(pid)).length,
    temporaryFiles: names.filter((name) => name.includes("tmp-")).length,
  };
}

async function churn(scene: Scene<"victim">, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += ROUNDS_AT_A_TIME) {
    const traps = Array.from(
      { length: ROUNDS_AT_A_TIME },
      (_, index) => TRAPS[(round + index) % TRAPS.length] ?? "trap",
    );
    const replies = await Promise.all(traps.map((method) => scene.call("victim", method, "4711")));
    for (const { error } of replies) expect(["plugin-trapped", undefined]).toContain(error);
    if (round % LOAD_EVERY === 0) await load(scene);
    if (round % KILL_EVERY === 0) await kill(scene);
  }
}

let loads = 0;

/** A component that was never seen before: every third one is refused. */
async function load(scene: Scene<"victim">): Promise<void> {
  loads += 1;
  const name = `run-${process.pid}-${loads}`;
  const isRefused = loads % 3 === 0;
  const component = await assemblePlugin({
    insert: { "core-body": `(func (export "${isRefused ? `a'${name}` : name}"))` },
  });
  const victim: Actor = { component: COMPONENTS.gauntlet("read-write") };
  const told = outcomes(scene);
  await scene.recast({ [scene.name("victim")]: victim, [CHURNED]: { component } });
  await until(() => outcomes(scene) > told, { what: "the new component is loaded or refused" });
}

/** How often the replica has said what came of the churned plugin. */
function outcomes({ replica }: Scene<"victim">): number {
  return replica.records.filter(
    ({ plugin, msg, err }) => plugin === CHURNED && (msg === "plugin loaded" || err !== undefined),
  ).length;
}

async function kill(scene: Scene<"victim">): Promise<void> {
  process.kill(await scene.runnerOf("victim"), "SIGKILL");
  await until(async () => (await scene.call("victim", "echo", "x")).status === 200, { what: "the victim is back" });
}
