/** A guest that computes past its deadline is stopped alone: its process goes on, and the calls beside it. */

import { describe, expect, test } from "vitest";
import { smallestOf } from "../harness/clocks.ts";
import type { Reply } from "../harness/request.ts";
import { buildComponentOf } from "../unit/runner/artifacts.ts";
import { openScene, type Scene } from "./scene.ts";

const LOOP_MS = 300;
/** What may pass between a request's deadline and its reply. */
const REPLY_MARGIN_MS = 50;
const BESIDE = 50;
const BESIDE_MS = 1_000;

function looper(): Promise<Uint8Array> {
  return buildComponentOf("looper", { editModule: (text) => text.replace(";; @rows", "(func $row33)") });
}

function nanoseconds(ms: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64LE(BigInt(ms) * 1_000_000n);
  return payload;
}

/** How long the host had a request, by its own clock. */
async function hostMs({ replica }: Scene<"looper">, id: string): Promise<number> {
  const record = await replica.logged((entry) => entry["id"] === id && entry["msg"] === "request");
  return Number(record["queueMs"]) + Number(record["runMs"]);
}

describe("a loop beside fifty calls of the same process", () => {
  test.each([
    ["begins before them", "loop", 0],
    ["begins while they are suspended", "after-a-wait", 20],
  ])("that %s is answered at its deadline, and takes none of them with it", async (_when, method, waitMs) => {
    await using scene = await openScene({
      actors: { looper: { component: await looper(), policy: { limits: { runners: 1 } } } },
    });
    const runner = await scene.runnerOf("looper");
    const boundMs = LOOP_MS + REPLY_MARGIN_MS;
    const answeredMs = await smallestOf(boundMs, async () => {
      const id = crypto.randomUUID();
      const others = (): Promise<Reply>[] =>
        Array.from({ length: BESIDE }, () => scene.call("looper", "block", nanoseconds(BESIDE_MS)));
      const suspended = waitMs > 0 ? others() : [];
      const loop = scene.call("looper", method, nanoseconds(waitMs), {
        "Rpc-Id": id,
        "Rpc-Timeout-Ms": String(LOOP_MS),
      });
      const beside = [...suspended, ...(waitMs > 0 ? [] : others())];
      expect((await loop).error).toBe("deadline-exceeded");
      expect((await Promise.all(beside)).map(({ status }) => status)).toEqual(Array(BESIDE).fill(200));
      expect(await scene.runnerOf("looper")).toBe(runner);
      return await hostMs(scene, id);
    });
    expect(answeredMs).toBeLessThan(boundMs);
    await scene.unharmed();
  });
});

test("calls that stand behind a loop begin in another process, and the loop's own goes on after its deadline", async () => {
  await using scene = await openScene({
    actors: { looper: { component: await looper(), policy: { limits: { runners: 2, deadlineMs: 8_000 } } } },
  });
  const runner = await scene.runnerOf("looper");
  const ends: string[] = [];
  const loop = scene.call("looper", "loop").then((reply) => ends.push(`loop: ${reply.error}`));
  await Promise.all(
    Array.from({ length: 10 }, () =>
      scene.call("looper", "x", "behind").then((reply) => ends.push(`behind: ${reply.text}`)),
    ),
  );
  await loop;
  expect(ends).toEqual([...Array<string>(10).fill("behind: behind"), "loop: deadline-exceeded"]);
  expect(scene.replica.records.filter(({ msg }) => msg === "the plugin's runner ended")).toEqual([]);
  expect(await scene.children()).toContain(runner);
  await scene.unharmed();
});
