/** Deep calls end by themselves or by a trap, on the stack of a call that may be suspended and on the usual one. */

import { describe, expect, it } from "vitest";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { compileArtifact } from "./artifacts.ts";
import { type CallEnd, ENGINES, RunnerChild } from "./runner-child.ts";

/** Calls itself as often as the payload has bytes; without end for an empty one. */
const DESCEND = `(func $descend (param $left i32) (result i32)
  (if (result i32) (i32.eq (local.get $left) (i32.const 1)) (then (i32.const 1)) (else
    (i32.add (call $descend (i32.sub (local.get $left) (i32.const 1))) (i32.const 1)))))`;

/** What makes a plugin one that may be suspended, whether it calls it or not. */
const SUSPENDING = {
  imports: `(import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))`,
  modules: '(canon lower (func $poll "[method]pollable.block") (core func $block))',
};

/** A plugin whose status is the depth that it went to. */
async function buildPlugin(maySuspend: boolean): Promise<string> {
  const component = await assemblePlugin({
    insert: { "core-body": DESCEND, ...(maySuspend && SUSPENDING) },
    replace: { "(i32.const 20) (i32.const 200)": "(i32.const 20) (call $descend (local.get 5))" },
  });
  return await compileArtifact(component);
}

const DEPTH = 2_000;

function statusOf({ outcome }: CallEnd): unknown {
  return outcome.kind === "response" ? outcome.response.status : outcome.kind;
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  it.each([
    ["may be suspended", true],
    ["cannot be suspended", false],
  ])("deep calls of a plugin that %s", async (_, maySuspend) => {
    const artifactDir = await buildPlugin(maySuspend);
    await using runner = await RunnerChild.start({ engine, artifactDir });
    for (let round = 0; round < 20; round += 1) {
      expect(statusOf(await runner.call("", Buffer.alloc(DEPTH)))).toBe(DEPTH);
      const calls = Array.from({ length: 10 }, () => runner.begin(""));
      for (const call of calls) {
        const end = await runner.end(call);
        expect(statusOf(end)).toBe("trap");
        expect(end.outcome).toMatchObject({ message: expect.stringContaining("call stack size") as string });
      }
    }
  });
});
