/** What a component may call where it must call nothing: the time, and nothing else. */

import { beforeAll, describe, expect, it } from "vitest";
import { buildArtifact } from "./artifacts.ts";
import { RunnerChild } from "./runner-child.ts";

const WHERE = [
  ["while the host allocates in its memory", (letter: string) => letter],
  ["after its call has returned", (letter: string) => letter.toUpperCase()],
] as const;

/** V8 refuses to call what may wait, ready or not. */
const SUSPENDS = /suspend/;

describe.each(WHERE)("on the linker engine, a component, %s,", (_, methodFor) => {
  let artifactDir: string;

  beforeAll(async () => {
    artifactDir = await buildArtifact("timekeeper");
  });

  it.each([
    ["reads the monotonic clock", "m"],
    ["reads the wall clock", "w"],
    ["polls what is ready, and drops it", "p"],
  ])("%s", async (_what, letter) => {
    await using runner = await RunnerChild.start({ engine: "linker", artifactDir });
    // What it did in one request does not hinder the next.
    for (let round = 0; round < 3; round += 1) {
      const method = methodFor(letter);
      const { outcome } = await runner.call(method);
      const seen = method === letter ? 1 : 0;
      expect(outcome).toMatchObject({ kind: "response", response: { status: 200, body: Buffer.of(seen) } });
    }
  });

  it.each([
    ["wait by a poll", "q", /a component waits where it must not/],
    ["wait otherwise", "b", SUSPENDS],
    ["call anything else", "r", /a component calls out where it must not/],
  ])("must not %s", async (_what, letter, message) => {
    await using runner = await RunnerChild.start({ engine: "linker", artifactDir });
    const { outcome } = await runner.call(methodFor(letter));
    expect(outcome).toMatchObject({ kind: "trap", message: expect.stringMatching(message) as string });
  });
});
