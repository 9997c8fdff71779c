import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PLUGIN_LIMITS } from "../../src/contract/limits.ts";
import { COMPONENTS, READ_WRITE } from "../harness/plugins.ts";
import { smallestOf } from "../harness/clocks.ts";
import type { LogRecord } from "../harness/replica-log.ts";
import type { Reply } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";
import { overlappingLists } from "./amplifier.ts";
import { failure } from "../harness/failure.ts";
import { buildForger, type Forger, forgery } from "./forger.ts";
import { openScene, peakResidentBytes, type Scene } from "./scene.ts";

const MIB = 1024 * 1024;
/** Does a loop end with its process? On the linker engine, it is stopped alone. */
const ENDS_PROCESS = process.env["ENGINE"] === "jco";
const DEADLINE_MS = 1_000;
/** What may pass between a request's deadline and its reply. */
const REPLY_MARGIN_MS = 250;
/** What a host may hold more than before: garbage that V8 has not seen to. What its plugins took is gigabytes. */
const HOST_MARGIN_BYTES = 192 * MIB;

describe("a plugin that misbehaves while it serves", () => {
  let scene: Scene<"hostile" | "looping">;

  beforeAll(async () => {
    scene = await openScene({
      actors: {
        hostile: { component: COMPONENTS.gauntlet("read-write"), policy: READ_WRITE },
        looping: {
          component: COMPONENTS.gauntlet("read"),
          policy: { allow: ["key-value-read"], limits: { deadlineMs: DEADLINE_MS } },
        },
      },
    });
  });

  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
  });

  function call(method: string, payload = "", role: "hostile" | "looping" = "hostile"): Promise<Reply> {
    return scene.call(role, method, payload, { "Rpc-Id": `id-${method}` });
  }

  async function servedAgain(role: "hostile" | "looping" = "hostile"): Promise<void> {
    await until(async () => (await call("count", "", role)).text === "1", {
      what: "the plugin is served again, on fresh state",
    });
  }

  describe("an infinite loop is answered within its deadline and 250 ms, and the plugin is served again", () => {
    test.each([
      ["at once", "loop", ""],
      ["after a suspended import", "loop-after-get", "user-data\nkey"],
    ])("%s", async (_when, method, payload) => {
      /** How long the host had the request, by its own clock. */
      const loop = async (): Promise<number> => {
        const id = crypto.randomUUID();
        const reply = await scene.call("looping", method, payload, { "Rpc-Id": id });
        expect(reply.headers).toEqual(failure("deadline-exceeded", id));
        const record = await scene.replica.logged((entry) => entry["id"] === id && entry["msg"] === "request");
        return Number(record["queueMs"]) + Number(record["runMs"]);
      };
      const boundMs = DEADLINE_MS + REPLY_MARGIN_MS;
      const replyMs = await smallestOf(boundMs, async () => {
        const runner = await scene.runnerOf("looping");
        const ms = await loop();
        if (ENDS_PROCESS) await until(() => isGone(runner), { what: "the looping runner is gone" });
        await servedAgain("looping");
        expect((await scene.runnerOf("looping")) === runner).toBe(!ENDS_PROCESS);
        return ms;
      });
      expect(replyMs).toBeLessThan(boundMs);
      await scene.unharmed();
    });
  });

  describe("a trap is the reply of its own request, and the next one runs in the same process on fresh state", () => {
    test.each([
      ["unreachable", "trap", ""],
      ["infinite recursion", "recurse", ""],
      ["exit", "exit", "ok"],
      ["exit with a failure", "exit", "no"],
      ["a write over the permit", "over-permit", ""],
    ])("%s", async (_what, method, payload) => {
      const runner = await scene.runnerOf("hostile");
      expect((await call("remember", "left behind")).text).toBe("");
      const reply = await call(method, payload);
      expect(reply.headers).toEqual(failure("plugin-trapped", `id-${method}`));
      expect(reply.data).toHaveLength(0);
      expect((await call("remember", "")).text).toBe("");
      expect(await scene.runnerOf("hostile")).toBe(runner);
      await scene.unharmed();
    });
  });

  describe("memory", () => {
    test("beyond the cap is refused to the guest, which may go on", async () => {
      const reply = await call("grow", "1000000");
      expect(reply.status).toBe(200);
      const granted = Number(reply.text) * 64 * 1024;
      expect(granted).toBeGreaterThan(PLUGIN_LIMITS.memoryBytes.default / 2);
      expect(granted).toBeLessThan(PLUGIN_LIMITS.memoryBytes.default);
      await scene.unharmed();
    });

    test("of many requests that all take what they get stays within what the runner gives back", async () => {
      const before = await scene.hostMemoryBytes();
      // Eight at a time hold half of what a process may hold; all of them together hold five times as much.
      for (let round = 0; round < 10; round += 1) {
        const replies = await Promise.all(Array.from({ length: 8 }, () => call("grow", "1000000")));
        expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
      }
      await servedAgain();
      expect(await scene.hostMemoryBytes()).toBeLessThan(before + HOST_MARGIN_BYTES);
      await scene.unharmed();
    });
  });

  describe("what a guest takes too much of, or makes up, is a trap before any work is done", () => {
    test.each([
      ["get-random-bytes(2^31)", "random-size", String(2 ** 31)],
      ["get-random-bytes(2^64 - 1)", "random-size", String(2n ** 64n - 1n)],
      ["a million open handles", "many-handles", "user-data\n1000000"],
      ["a forged handle", "forged-handle", "4711"],
      ["a dropped handle", "dropped-handle", "user-data\nkey"],
    ])("%s", async (_what, method, payload) => {
      const reply = await call(method, payload);
      expect(reply.headers).toEqual(failure("plugin-trapped", `id-${method}`));
      await servedAgain();
      await scene.unharmed();
    });
  });

  describe("what a plugin can learn of the machine", () => {
    test("does not include an argument, a working directory or a variable", async () => {
      const reply = await call("env");
      expect([reply.status, reply.text]).toEqual([200, ""]);
    });

    test("is not in its process either: no environment, and no file or socket but its channel", async () => {
      const runner = await scene.runnerOf("hostile");
      expect(await readFile(`/proc/${runner}/environ`, "utf8")).toBe("");
      await scene.unharmed();
    });
  });

  describe("output", () => {
    /** What a request's plugin wrote, when all of it is in the log. */
    async function own(id: string): Promise<readonly LogRecord[]> {
      await scene.replica.logged((record) => record["id"] === id && "runMs" in record);
      return scene.replica.records.filter((record) => record["id"] === id && record["source"] !== undefined);
    }

    test("of 100 MB is capped, and what is dropped is counted", async () => {
      await call("stdout-flood", String(25_000));
      const lines = await own("id-stdout-flood");
      const characters = lines.reduce((sum, { msg }) => sum + String(msg).length, 0);
      // Escaped, a control character takes up to six.
      expect(characters).toBeLessThan(PLUGIN_LIMITS.logBytes.default * 2);
      const summary = await scene.replica.logged((record) => record["id"] === "id-stdout-flood" && "runMs" in record);
      expect(summary["droppedLogBytes"]).toBeGreaterThan(90 * MIB);
      await scene.unharmed();
    });

    test("cannot steer a terminal or forge a record: one record each, escaped, with plugin and request", async () => {
      await call("log-escapes");
      await call("stdout", '\u001b[2J\n{"level":"fatal","msg":"not from the host"}\n');
      const { records } = scene.replica;
      expect(records.filter((record) => "unparsed" in record)).toEqual([]);
      expect(records.filter(({ msg }) => msg === "not from the host")).toEqual([]);
      const lines = [...(await own("id-log-escapes")), ...(await own("id-stdout"))];
      expect(lines.length).toBeGreaterThanOrEqual(3);
      for (const record of lines) {
        expect(record).toMatchObject({ plugin: scene.name("hostile"), id: expect.any(String) });
        // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(String(record["msg"])).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }
      await scene.unharmed();
    });

    test("of 100,000 lines costs a few of them", async () => {
      await call("log-flood", "100000\n1");
      expect((await own("id-log-flood")).length).toBeLessThan(5_000);
      await scene.unharmed();
    });

    test("of one line of a megabyte is cut", async () => {
      await scene.call("hostile", "log-flood", `1\n${MIB}`, { "Rpc-Id": "one-line" });
      expect((await own("one-line")).every(({ msg }) => String(msg).length < 10_000)).toBe(true);
      await scene.unharmed();
    });
  });
});

describe("amplification by overlapping lists", () => {
  test("costs at most the runner, and the replica goes on", async () => {
    await using scene = await openScene({
      actors: {
        amplifier: { component: await overlappingLists(), policy: { limits: { runnerMemoryBytes: 384 * MIB } } },
      },
    });
    const before = await scene.hostMemoryBytes();
    // Its limit, and what it can take between two looks at it.
    const boundBytes = 512 * MIB;
    const peakBytes = await smallestOf(boundBytes, async () => {
      const runner = await scene.runnerOf("amplifier");
      // 64 views of one list of 16 MiB: 1 GiB, out of 17 MiB.
      const reply = await scene.call("amplifier", "any", forgery(64, 0));
      expect(["memory-exceeded", "plugin-trapped", "runner-lost"]).toContain(reply.error);
      const peak = await peakResidentBytes(runner);
      await until(async () => (await scene.call("amplifier", "any", forgery(1, 0))).status === 200, {
        what: "the plugin is served again",
      });
      return peak;
    });
    expect(peakBytes).toBeLessThan(boundBytes);
    expect(await scene.hostMemoryBytes()).toBeLessThan(before + HOST_MARGIN_BYTES);
    await scene.unharmed();
  });
});

describe("a handle that was never given out, on every method of every resource there is", () => {
  let forger: Forger;
  let scene: Scene<"forger">;

  beforeAll(async () => {
    forger = await buildForger();
    const policy = { allow: ["key-value-read", "key-value-write", "outbound-http"], hosts: ["https://example.com"] };
    scene = await openScene({ actors: { forger: { component: forger.component, policy } } });
  });

  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
  });

  test("is a trap: no body of a host's method runs", async () => {
    expect(forger.targets.length).toBeGreaterThan(140);
    const runner = await scene.runnerOf("forger");
    const outcomes: Record<string, string> = {};
    for (const [index, target] of forger.targets.entries()) {
      for (const handle of [0, 1, 4_711, 2 ** 31 - 1, 2 ** 32 - 1]) {
        const reply = await scene.call("forger", "forge", forgery(index, handle));
        // Dropping what it does not hold costs a plugin its own table at most: that may also do nothing.
        const isHarmless = target.endsWith("_drop") && reply.status === 200;
        if (reply.error !== "plugin-trapped" && !isHarmless)
          outcomes[`${target} on ${handle}`] = reply.error ?? String(reply.status);
      }
    }
    expect(outcomes).toEqual({});
    expect(await scene.runnerOf("forger")).toBe(runner);
    const operations = await (await fetch(`${scene.replica.healthUrl}/metrics`)).text();
    expect(operations).not.toContain(`network_host_kv_operations_total{plugin="${scene.name("forger")}"`);
    await scene.unharmed();
  }, 360_000);
});

async function isGone(pid: number): Promise<boolean> {
  return (await peakResidentBytes(pid)) === 0;
}
