/**
 * Plugins with exceptions and objects of WebAssembly, on both engines: they catch whatever they can, and fill the heap that
 * V8 collects for them.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../scripts/lib/until.ts";
import { failure } from "../harness/failure.ts";
import { READ_WRITE } from "../harness/plugins.ts";
import { buildComponentOf } from "../unit/runner/artifacts.ts";
import { openScene, peakResidentBytes, type Scene } from "./scene.ts";

const MIB = 1024 * 1024;
const MEMORY_BYTES = 32 * MIB;
/** What the process of a plugin may hold beside the plugin's own objects: Node, code, and V8's young generation. */
const PROCESS_MARGIN_BYTES = 320 * MIB;

/** What ends a call → the letter of test/fixtures/runner-wat/catcher.wat. */
const ENDS = {
  "it exits": "x",
  "it forges a handle": "h",
  "it opens too many handles": "O",
  "it draws too many random bytes": "r",
  "it polls nothing": "P",
  "it writes without a permit": "W",
  "it logs at a level that does not exist": "l",
  "it hands over text that is not UTF-8": "8",
  "it hands over a pointer beyond its memory": "p",
  "it reaches unreachable": "u",
  "it recurses without end": "o",
} as const;

/** What fills a plugin's heap → the letter, in a plugin of its own: its process ends by it, and its circuit may open. */
const FILLS = { objects: "K", large: "A", exceptions: "E" } as const;

type Role = "catcher" | keyof typeof FILLS;

describe.each(["linker", "jco"] as const)("on the %s engine, a plugin that catches all it can", (engine) => {
  let scene: Scene<Role>;

  beforeAll(async () => {
    const actor = {
      component: await buildComponentOf("catcher"),
      policy: { ...READ_WRITE, limits: { memoryBytes: MEMORY_BYTES } },
    };
    scene = await openScene({
      actors: { catcher: actor, objects: actor, large: actor, exceptions: actor },
      replica: { env: { ENGINE: engine } },
    });
  });

  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
  });

  async function call(method: string, role: Role = "catcher"): Promise<unknown> {
    const reply = await scene.call(role, method, "", { "Rpc-Id": "caught" });
    return reply.status === 200 ? reply.text : reply.headers;
  }

  describe.each([
    ["catch_all", "a"],
    ["catch_all_ref", "r"],
  ])("with %s", (_, handler) => {
    test.each(Object.entries(ENDS))("is ended as a trap where %s", async (_what, act) => {
      expect(await call(act + handler)).toEqual(failure("plugin-trapped", "caught"));
    });

    test("catches its own exceptions, and keeps objects", async () => {
      expect(await call(`t${handler}`)).toBe("caught");
      expect(await call(`k${handler}`)).toBe("went on");
    });
  });

  test.each(Object.entries(FILLS) as [keyof typeof FILLS, string][])(
    "has exceeded its memory where its heap is full of %s, and is served again",
    async (role, act) => {
      const pid = await scene.runnerOf(role);
      let peakBytes = 0;
      const look = async (): Promise<void> => {
        peakBytes = Math.max(peakBytes, await peakResidentBytes(pid));
      };
      const watch = setInterval(() => void look(), 20);
      try {
        expect(await call(`${act}a`, role)).toEqual(failure("memory-exceeded", "caught"));
      } finally {
        clearInterval(watch);
      }
      expect(peakBytes).toBeLessThan(MEMORY_BYTES + PROCESS_MARGIN_BYTES);
      await until(async () => (await call("c", role)) === "112", {
        what: "the plugin is served again, on fresh state",
      });
      await scene.unharmed();
    },
  );

  test("is a trap, and no error of the plugin's, where nobody catches its exception", async () => {
    expect(await call("t")).toEqual(failure("plugin-trapped", "caught"));
    const record = await scene.replica.logged(({ detail }) => /threw an exception/.test(String(detail)));
    expect(record).toMatchObject({ detail: expect.any(String) });
  });

  test("starts every request without the objects of the one before", async () => {
    for (let request = 0; request < 20; request += 1) expect(await call("c")).toBe("112");
    await scene.unharmed();
  });
});
