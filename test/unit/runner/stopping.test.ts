/** Guests that compute for ever are stopped when their call is due, and nothing else in their process is. */

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { buildHost } from "../../../scripts/build/host.ts";
import { ROOT } from "../../../scripts/lib/project.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { buildArtifact, compileArtifact } from "./artifacts.ts";
import { dueIn, RunnerChild, WORKER_SEEKING_RUNNER } from "./runner-child.ts";

const DUE_MS = 300;
const ROWS = 33;

const rows = Array.from({ length: ROWS }, (_, row) => `(func $row${row + 1} (call $row${row}) (call $row${row}))`);

async function buildLooper(edit: (text: string) => string = (text) => text): Promise<string> {
  return await buildArtifact("looper", { editModule: (text) => edit(text.replace(";; @rows", rows.join("\n"))) });
}

function nanoseconds(ms: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64LE(BigInt(ms) * 1_000_000n);
  return payload;
}

let artifactDir: string;
beforeAll(async () => {
  artifactDir = await buildLooper();
});

/** V8 does not exchange the code of a loop that runs, so each tier has to be begun with. */
describe.each([
  ["as they come", []],
  ["optimized", ["--no-liftoff"]],
  ["not optimized", ["--liftoff-only"]],
])("code that runs %s", (_tier, v8Flags) => {
  test("is stopped, wherever it computes, while the calls beside it go on", async () => {
    await using runner = await RunnerChild.start({ engine: "linker", artifactDir, v8Flags });
    // It is suspended while the others compute, and answered when they have been stopped.
    const patient = runner.begin("block", nanoseconds(DUE_MS / 2));
    for (const method of [
      ..."loop catching-loop recursion tail-calls indirect-calls function-references ways-of-rows".split(" "),
      ..."host-calls suspending-calls post-return".split(" "),
    ]) {
      const { outcome } = await runner.end(runner.begin(method, undefined, dueIn(DUE_MS)));
      expect([method, outcome.kind]).toEqual([method, "stopped"]);
    }
    const { outcome: afterWait } = await runner.end(runner.begin("after-a-wait", nanoseconds(20), dueIn(DUE_MS)));
    expect(afterWait.kind).toBe("stopped");
    const { outcome: allocating } = await runner.end(runner.begin("x", Buffer.alloc(4_242), dueIn(DUE_MS)));
    expect(allocating.kind).toBe("stopped");
    expect((await runner.end(patient)).outcome.kind).toBe("response");
    const { outcome } = await runner.call("x", Buffer.from("served"));
    expect(outcome).toMatchObject({ kind: "response", response: { body: Buffer.from("served") } });
  });
});

describe("a start function that loops", () => {
  /** In instances that are made later than that after their process began: by then, the first one has been. */
  const AFTER_MS = 20_000;
  const TIMEOUT_MS = 120_000;

  async function startWith(maxIdleInstances: number): Promise<RunnerChild> {
    const looping = await buildLooper((text) => text.replace("0x7fffffffffffffff", `${AFTER_MS}000000`));
    const runner = await RunnerChild.start({ engine: "linker", artifactDir: looping, maxIdleInstances });
    // The start function goes by the clock.
    await delay(AFTER_MS);
    return runner;
  }

  test(
    "is stopped where its instance is made for a call",
    async () => {
      await using runner = await startWith(0);
      for (const call of [1, 2]) {
        const { outcome } = await runner.end(runner.begin("x", undefined, dueIn(DUE_MS)));
        expect(outcome).toEqual({ kind: "stopped", call });
      }
      await runner.settle(1);
    },
    TIMEOUT_MS,
  );

  test(
    "is stopped where its instance is made for nobody, in an idle moment",
    async () => {
      await using runner = await startWith(1);
      // It takes the instance that was made before, and the next one is made when it has been stopped.
      expect((await runner.end(runner.begin("loop", undefined, dueIn(DUE_MS)))).outcome.kind).toBe("stopped");
      // The making keeps it from answering, and then is stopped.
      let tookMs = 0;
      for (let nonce = 1; tookMs < FIXED_LIMITS.idleComputeMs / 2; nonce += 1) {
        const startMs = performance.now();
        await runner.settle(nonce);
        tookMs = performance.now() - startMs;
      }
    },
    TIMEOUT_MS,
  );
});

test("a get-access-levels that loops is stopped", async () => {
  const looping = await buildLooper((text) => text.replace(";; @levels", "(call $for_ever)"));
  await using runner = await RunnerChild.start({ engine: "linker", artifactDir: looping });
  expect((await runner.probe(dueIn(DUE_MS))).outcome.kind).toBe("stopped");
  expect((await runner.call("x")).outcome.kind).toBe("response");
});

test("a call that ends as it is due takes no other with it", async () => {
  await using runner = await RunnerChild.start({ engine: "linker", artifactDir, audited: true });
  const ends = new Map<string, number>();
  for (let round = 0; round < 200; round += 1) {
    // These compute for as long as they have, more or less: about half of them are stopped.
    const hurried = runner.begin("duration", nanoseconds(2), dueIn(1 + (round % 4)));
    const others = [runner.begin("x"), runner.begin("duration", nanoseconds(1)), runner.begin("block", nanoseconds(1))];
    for (const other of others) expect((await runner.end(other)).outcome.kind).toBe("response");
    const { kind } = (await runner.end(hurried)).outcome;
    ends.set(kind, (ends.get(kind) ?? 0) + 1);
  }
  expect([...ends.keys()].toSorted()).toEqual(["response", "stopped"]);
});

/** A plugin that loops for a payload: in the first of two core modules of a component in the plugin's. */
async function buildNested(): Promise<string> {
  const nested = `(component $nested
      (core module $looping (func (export "run") (param i32)
        (if (local.get 0) (then (loop $turn (br $turn))))))
      (core module $passing (import "looping" "run" (func $run (param i32)))
        (func (export "run") (param i32) (call $run (local.get 0))))
      (core instance $looping (instantiate $looping))
      (core instance $passing (instantiate $passing (with "looping" (instance $looping))))
      (func (export "run") (param "loops" u32) (canon lift (core func $passing "run"))))
    (instance $nested (instantiate $nested))
    (core func $run (canon lower (func $nested "run")))
    (core instance $lowered (export "run" (func $run)))`;
  const component = await assemblePlugin({
    insert: {
      modules: nested,
      "core-imports": '(import "nested" "run" (func $run (param i32)))',
      "core-body": "(func $status (param i32) (result i32) (call $run (local.get 0)) (i32.const 200))",
    },
    replace: {
      "(instantiate $main)": '(instantiate $main (with "nested" (instance $lowered)))',
      "(i32.const 20) (i32.const 200)": "(i32.const 20) (call $status (local.get 5))",
    },
  });
  return await compileArtifact(component);
}

test("a loop in a core module of a component within the plugin's is stopped", async () => {
  await using runner = await RunnerChild.start({ engine: "linker", artifactDir: await buildNested() });
  const { outcome } = await runner.end(runner.begin("", Buffer.alloc(1), dueIn(DUE_MS)));
  expect(outcome.kind).toBe("stopped");
  expect((await runner.call("")).outcome).toMatchObject({ kind: "response", response: { status: 200 } });
});

test("no other thread can be started once the one that stops guests is there", async () => {
  await using runner = await RunnerChild.start({ engine: "linker", artifactDir, program: WORKER_SEEKING_RUNNER });
  expect((await runner.call("x")).outcome.kind).toBe("response");
  expect(runner.stderr).toContain("no thread: ERR_ACCESS_DENIED");
  expect(runner.stderr).not.toContain("a thread started");
});

test("the runner of a build, which is one file, stops what it runs, too", async () => {
  const folder = await mkdtemp(join(ROOT, "node_modules/.built-"));
  try {
    const dist = join(folder, "dist");
    await buildHost(dist);
    await using runner = await RunnerChild.start({ engine: "linker", artifactDir, dist });
    expect((await runner.end(runner.begin("loop", undefined, dueIn(DUE_MS)))).outcome.kind).toBe("stopped");
    expect((await runner.call("x")).outcome.kind).toBe("response");
  } finally {
    await rm(folder, { recursive: true });
  }
});
