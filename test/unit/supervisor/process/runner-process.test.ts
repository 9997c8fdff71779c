import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { KeyValueOperation, KeyValueResult } from "../../../../src/capabilities/key-value/messages.ts";
import { DEFAULT_PLUGIN_LIMITS, FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import type { DroppedLog } from "../../../../src/contract/log-rate.ts";
import type { Outcome } from "../../../../src/contract/request.ts";
import type { RunnerCall } from "../../../../src/supervisor/process/runner-call.ts";
import { RunnerProcess } from "../../../../src/supervisor/process/runner-process.ts";
import { gateGiving } from "../../capabilities/brokered.ts";
import { Impostor } from "../impostor.ts";

const MIB = 1024 * 1024;
const HOSTILE = fileURLToPath(new URL("hostile-runner.ts", import.meta.url));

/** A call as the consumer has it: it keeps what it was told. */
class RecordingCall implements RunnerCall {
  readonly #settled = Promise.withResolvers<Outcome>();
  readonly #answer: (bytes: number) => Promise<KeyValueResult>;
  operations = 0;
  lines = 0;
  droppedBytes = 0;
  returns = 0;

  constructor(answer: (bytes: number) => Promise<KeyValueResult> = async () => ({ kind: "none" })) {
    this.#answer = answer;
  }

  get settled(): Promise<Outcome> {
    return this.#settled.promise;
  }

  storeMs = 0;
  isAfterOutage = false;
  isBusy = false;

  /** Only the store's: no runner here asks for HTTP. */
  gate: RunnerCall["gate"] = gateGiving({
    perform: (operation: KeyValueOperation) => {
      this.operations += 1;
      return this.#answer("value" in operation ? operation.value.length : 0);
    },
  });

  remainingMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  note(): void {
    throw new Error("nothing is to be noted");
  }

  log(): void {
    this.lines += 1;
  }

  output(): void {
    this.lines += 1;
  }

  dropped({ bytes, missedBytes }: DroppedLog): void {
    this.droppedBytes += bytes + missedBytes;
  }

  settle(outcome: Outcome): void {
    this.#settled.resolve(outcome);
  }

  returned(): void {
    this.returns += 1;
  }
}

const REQUEST = { id: "1", method: "m", payload: Buffer.alloc(0) };
const started: RunnerProcess[] = [];

async function start(manner: string): Promise<RunnerProcess> {
  const runner = await RunnerProcess.start({
    config: {
      artifactDir: tmpdir(),
      engine: "auto",
      maxIdleInstances: 1,
      maxIdleBytes: MIB,
      replyBytes: MIB,
      logBytes: 64 * 1024,
    },
    limits: { ...DEFAULT_PLUGIN_LIMITS, runnerMemoryBytes: 256 * MIB },
    memories: 1,
    makesObjects: false,
    engine: "linker",
    confinement: new Impostor(["--no-warnings", HOSTILE, manner]),
  });
  started.push(runner);
  return runner;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((runner) => runner.close()));
});

test.runIf(process.platform === "linux")("a runner has a session of its own", async () => {
  const { pid } = await start("is busy with other things");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // Behind the name in parentheses: state, parent, process group, session.
  const session = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3];
  expect(session).toBe(String(pid));
});

describe("a runner that has gone wrong", () => {
  test.each([
    ["logs without end", "logs more than a guest can"],
    ["drops without end", "logs more than a guest can"],
    ["asks without end", "more operations in flight than a guest can"],
    ["speaks of a stranger", "message for call 9999, which is not in flight"],
    ["answers what nobody asked", "a pong without its ping"],
    ["floods stderr", "floods its standard error"],
  ])("is ended when it %s, and its call is told", async (manner, reason) => {
    const runner = await start(manner);
    // An operation that takes long: whatever else is asked for meanwhile adds up.
    const call = new RecordingCall(() => new Promise(() => undefined));
    runner.begin(REQUEST, call);
    expect(await call.settled).toMatchObject({
      kind: "failed",
      code: "runner-lost",
      message: expect.stringContaining(reason),
    });
    expect((await runner.exited).reason).toContain(reason);
    expect(call.lines).toBeLessThan(64 * 1024);
    expect(call.operations).toBeLessThanOrEqual(64);
  });

  test("may say of what it dropped whatever it likes", async () => {
    const runner = await start("lies about what it dropped");
    const calls = [new RecordingCall(), new RecordingCall()];
    for (const call of calls) runner.begin(REQUEST, call);
    for (const call of calls) {
      expect(await call.settled).toMatchObject({ kind: "ok" });
      expect(call.droppedBytes).toBe(200 * 0xffff_ffff);
    }
    expect(runner.isReady).toBe(true);
  });

  test("is ended when it speaks of a cancelled call after it has answered the ping behind the cancellation", async () => {
    const runner = await start("goes on after its pong");
    const id = runner.begin(REQUEST, new RecordingCall());
    runner.cancel(id, 0);
    expect((await runner.exited).reason).toContain("call 1, which is not in flight");
  });

  test("has an answer to what it asks for a cancelled call, which nobody performs", async () => {
    const runner = await start("writes for a call that is over");
    const call = new RecordingCall();
    runner.cancel(runner.begin(REQUEST, call), 0);
    // It says so when it has the answer, and would be killed without one.
    expect((await runner.exited).reason).toBe("it could not load the artifact: error");
    expect(call.operations).toBe(0);
  });

  test("is killed in the end though it rests, and sends other frames instead of its pong", async () => {
    const runner = await start("is busy with other things");
    const other = new RecordingCall();
    runner.begin(REQUEST, other);
    const id = runner.begin(REQUEST, new RecordingCall());
    const cancelledMs = performance.now();
    runner.cancel(id, 0);
    const { reason } = await runner.exited;
    expect(reason).toContain("no sign of life");
    expect(performance.now() - cancelledMs).toBeGreaterThanOrEqual(FIXED_LIMITS.silentMs - 1);
    expect(await other.settled).toMatchObject({ code: "runner-lost" });
  });

  test("gives back the calls that stand behind one which computes, and loses that one and those before it", async () => {
    const runner = await start("computes in its first call");
    const calls = { waiting: new RecordingCall(), looping: new RecordingCall(), behind: new RecordingCall() };
    const cancelled = runner.begin({ ...REQUEST, method: "wait" }, new RecordingCall());
    runner.begin({ ...REQUEST, method: "wait" }, calls.waiting);
    runner.begin({ ...REQUEST, method: "loop" }, calls.looping);
    runner.cancel(cancelled, 0);
    runner.begin({ ...REQUEST, method: "echo" }, calls.behind);
    expect((await runner.exited).reason).toContain("kept computing");
    for (const call of [calls.waiting, calls.looping]) {
      expect(await call.settled).toMatchObject({ code: "runner-lost" });
      expect(call.returns).toBe(0);
    }
    await expect.poll(() => calls.behind.returns).toBe(1);
  });

  test("is late while it computes; what it is known not to have begun can be recalled, and has no effect any more", async () => {
    const runner = await start("computes in its first call");
    const lateness: boolean[] = [];
    runner.watchLateness(() => lateness.push(runner.isLate));
    runner.begin({ ...REQUEST, method: "loop" }, new RecordingCall());
    const behind = new RecordingCall();
    runner.begin({ ...REQUEST, method: "echo" }, behind);
    await expect.poll(() => lateness).toEqual([true]);
    expect(runner.callsUnbegun).toBe(1);
    runner.recall();
    expect([behind.returns, runner.callsUnbegun, runner.callsInFlight]).toEqual([1, 0, 1]);
  });

  test("begins no call once it has ended: the call is given back", async () => {
    const runner = await start("is busy with other things");
    await runner.close();
    const call = new RecordingCall();
    runner.begin(REQUEST, call);
    await expect.poll(() => call.returns).toBe(1);
  });

  test.runIf(process.platform === "linux")("is killed when it takes more memory than its limit", async () => {
    const runner = await start("takes memory");
    const call = new RecordingCall();
    runner.begin(REQUEST, call);
    expect(await call.settled).toMatchObject({
      kind: "failed",
      code: "memory-exceeded",
      message: expect.stringMatching(/holds \d+ MiB of memory, at most 256 are allowed/),
    });
  });

  test("that does not read has requests refused once too much waits for it", async () => {
    const runner = await start("does not read");
    const large = { ...REQUEST, payload: Buffer.alloc(16 * MIB) };
    const calls = Array.from({ length: 12 }, () => new RecordingCall());
    for (const call of calls) runner.begin(large, call);
    const refused = { kind: "failed", code: "overloaded", retryAfterMs: expect.any(Number) };
    expect(await calls.at(-1)?.settled).toMatchObject(refused);
    expect(runner.callsInFlight).toBe(Math.floor(FIXED_LIMITS.runnerBacklogBytes / large.payload.length));
  });

  test("that writes more at a time than the host holds for one has the rest refused", async () => {
    const runner = await start("writes large values");
    const gate = Promise.withResolvers<KeyValueResult>();
    let heldBytes = 0;
    const calls = Array.from({ length: 12 }, () => {
      return new RecordingCall((bytes) => {
        heldBytes += bytes;
        return gate.promise;
      });
    });
    for (const call of calls) runner.begin(REQUEST, call);
    // Of twelve times 15 MiB, two fit; the third is refused while the others wait.
    await Promise.race(calls.slice(3).map((call) => call.settled));
    expect(heldBytes).toBe(2 * 15 * MIB);
    gate.resolve({ kind: "none" });
    const [first] = await Promise.all(calls.slice(0, 2).map((call) => call.settled));
    expect(first).toMatchObject({ kind: "ok" });
  });

  test.runIf(process.platform === "linux")("goes first when memory runs out", async () => {
    const runner = await start("does not read");
    await expect.poll(async () => (await readFile(`/proc/${runner.pid}/oom_score_adj`, "utf8")).trim()).toBe("1000");
  });
});
