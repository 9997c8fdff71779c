/** What is put back after a call, kind by kind, and what keeps an instance from being used again. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../../src/runner/engine.ts";
import { GuestContext, MAX_OPEN_HANDLES } from "../../../src/runner/guest/guest-context.ts";
import { createImport, PROVIDED_INTERFACES } from "../../../src/runner/imports.ts";
import { isKeptResource, NOTE_STATE, type PutBack } from "../../../src/runner/guest/kept-resource.ts";
import { ANSWER_ALIKE, answersAlike } from "../../../src/runner/linker/answers-alike.ts";
import { RESERVES } from "../../../src/runner/linker/growth-reserve.ts";
import type { StopFlag } from "../../../src/runner/stopping/stop-flag.ts";
import { StopFlags } from "../../../src/runner/stopping/stop-flags.ts";
import { StoppedError } from "../../../src/runner/stopping/stopped-error.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { BitAudit } from "../../harness/bit-audit.ts";
import { buildComponent } from "../runner/artifacts.ts";
import { type Changes, prepareEngine } from "./link.ts";
import { Seat } from "./seat.ts";

interface Parts {
  readonly imports?: string;
  readonly memory?: string;
  /** Fields of the module. */
  readonly fields?: string;
  /** What it does at its start. */
  readonly start?: string;
  /** What it replies: an i64, computed from `$payload`, an i64. */
  readonly serve: string;
  /** How are changes to its memory found? */
  readonly changes?: Changes;
}

/** A plugin whose payload and reply are eight bytes. */
async function plugin({ imports = "", memory = "2", fields = "", start = "", serve, changes }: Parts): Promise<Engine> {
  const module = `(module
    ${imports}
    (memory (export "memory") ${memory})
    (global $free (mut i32) (i32.const 4096))
    ${fields}
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.get $free) (global.set $free (i32.add (global.get $free) (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16)))))
    (func (export "_initialize") ${start})
    (func $serve (param $payload i64) (result i64) ${serve})
    (func (export "local:network-host/handler@1.0.0#get-access-levels") (result i32) (i32.const 0))
    (func (export "local:network-host/handler@1.0.0#handle-request") (param i32 i32 i32 i32) (param $payload i32) (param i32) (result i32)
      (i64.store (i32.const 256) (call $serve (i64.load (local.get $payload))))
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.store16 (i32.const 68) (i32.const 200))
      (i32.store (i32.const 72) (i32.const 256))
      (i32.store (i32.const 76) (i32.const 8))
      (i32.const 64)))`;
  return prepareEngine(await buildComponent(module), new BitAudit(), changes);
}

class NumberSeat extends Seat {
  /** The reply, or `undefined` for a trap. */
  async ask(payload = 0n): Promise<bigint | undefined> {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(payload);
    const outcome = await this.call(bytes);
    return outcome.kind === "ok" ? Buffer.from(outcome.response.body).readBigUInt64LE() : undefined;
  }

  /** For a plugin whose reply is empty. */
  async askNothing(): Promise<void> {
    await this.callUnbound(Buffer.alloc(0));
  }
}

describe("a global's bits", () => {
  const QUIET = 0x7ff8_0000_0000_0000n;
  const SIGNALLING = 0x7ff0_0000_dead_beefn;

  it.each([
    ["a quiet NaN of 64 bits", "f64", "f64.const nan", QUIET, 0x7ff8_0000_7365_6372n],
    ["a signalling NaN of 64 bits", "f64", "f64.const nan:0x00000deadbeef", SIGNALLING, 0xfff4_5678_9abc_def0n],
    ["a quiet NaN of 32 bits", "f32", "f32.const nan", 0x7fc0_0000n, 0xffd2_3456n],
    ["a signalling NaN of 32 bits", "f32", "f32.const nan:0x123456", 0x7f92_3456n, 0x7fa5_a5a5n],
    ["a zero with the sign of none", "f64", "f64.const 0", 0n, 1n << 63n],
    ["half of a vector", "v128", "v128.const i64x2 7 7", 7n, QUIET | 1n],
  ])("are those of the first state again: %s", async (_what, type, initial, first, other) => {
    const [read, write] = {
      f64: ["(i64.reinterpret_f64 (global.get $g))", "(f64.reinterpret_i64 (local.get $payload))"],
      f32: [
        "(i64.extend_i32_u (i32.reinterpret_f32 (global.get $g)))",
        "(f32.reinterpret_i32 (i32.wrap_i64 (local.get $payload)))",
      ],
      v128: ["(i64x2.extract_lane 1 (global.get $g))", "(i64x2.splat (local.get $payload))"],
    }[type] as [string, string];
    const engine = await plugin({
      fields: `(global $g (mut ${type}) (${initial}))`,
      serve: `${read} (global.set $g ${write})`,
    });
    const seat = await NumberSeat.take(engine);
    for (let round = 0; round < 3; round += 1) {
      expect(await seat.ask(other)).toBe(first);
      expect(seat.putBack()).toBe(true);
    }
  });
});

const STDOUT = `(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $check (param i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))`;
const STDIN = `(import "wasi:cli/stdin@0.2.0" "get-stdin" (func $stdin (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]input-stream.read" (func $read (param i32 i64 i32)))`;

describe("a stream that is held from the start", () => {
  it("has no permit that an earlier request asked for", async () => {
    const engine = await plugin({
      imports: STDOUT,
      start: "(i32.store (i32.const 16) (call $stdout))",
      // 0 asks for a permit, everything else writes so many bytes without asking.
      serve: `(if (i64.eqz (local.get $payload))
          (then (call $check (i32.load (i32.const 16)) (i32.const 128)))
          (else (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.wrap_i64 (local.get $payload)) (i32.const 128))))
        (i64.const 1)`,
    });
    const seat = await NumberSeat.take(engine);
    expect(await seat.ask(0n)).toBe(1n);
    expect(seat.putBack()).toBe(true);
    expect(await seat.ask(1n)).toBeUndefined();
  });

  it("does not tell that an earlier request met its end", async () => {
    const engine = await plugin({
      imports: STDIN,
      start: "(i32.store (i32.const 16) (call $stdin))",
      // Reading nothing is an error only where the end was met.
      serve: `(call $read (i32.load (i32.const 16)) (local.get $payload) (i32.const 128)) (i64.load8_u (i32.const 128))`,
    });
    const seat = await NumberSeat.take(engine);
    for (let round = 0; round < 3; round += 1) {
      expect(await seat.ask(0n)).toBe(0n);
      expect(await seat.ask(1n)).toBe(1n);
      expect(seat.putBack()).toBe(true);
    }
  });

  it("leads into the body of another request where its instance starts again", async () => {
    const engine = await plugin({
      imports: `(import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.body" (func $body (param i32 i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $into (param i32 i32)))
        ${STDOUT}`,
      fields: "(global $made (mut i32) (i32.const 0))",
      start: `(global.set $made (call $request (call $fields)))
        (call $body (global.get $made) (i32.const 128))
        (call $into (i32.load (i32.const 132)) (i32.const 136))
        (i32.store (i32.const 16) (i32.load (i32.const 140)))`,
      serve: `(call $check (i32.load (i32.const 16)) (i32.const 128))
        (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.wrap_i64 (local.get $payload)) (i32.const 144))
        (i64.load (i32.const 136))`,
    });
    const seat = await NumberSeat.take(engine);
    const permit = await seat.ask(100n);
    expect(permit).toBeGreaterThan(100n);
    for (let round = 0; round < 3; round += 1) {
      expect(seat.restore()).toBe("unstarted");
      seat.start();
      expect(await seat.ask(100n)).toBe(permit);
    }
  });

  // A guest holds the request and the body as well, which are dropped behind it: they alone keep its instance from that.
  it("says so itself where it leads into the body of a request, and is put back where it is an output", () => {
    const context = new GuestContext(65_536);
    const http = createImport("wasi:http/types", context) as unknown as {
      readonly Fields: new () => object;
      readonly OutgoingRequest: new (headers: object) => { body(): { val: { write(): { val: unknown } } } };
    };
    const stdout = createImport("wasi:cli/stdout", context) as unknown as { getStdout(): unknown };
    const intoBody = new http.OutgoingRequest(new http.Fields()).body().val.write().val;
    expect([noteState(intoBody), noteState(stdout.getStdout())]).toEqual([undefined, expect.any(Function)]);
  });
});

function noteState(resource: unknown): PutBack | undefined {
  if (!isKeptResource(resource)) throw new Error("a stream may be held from the start");
  return resource[NOTE_STATE]();
}

describe("an instance that the host told something at its start", () => {
  const NOTE = "(i64.store (i32.const 16) (call $f))";
  const TELL = "(i64.load (i32.const 16))";

  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"] }));
  afterEach(() => void vi.useRealTimers().restoreAllMocks());

  it.each([
    ["the monotonic clock", "wasi:clocks/monotonic-clock", '"now" (func $f (result i64))', NOTE],
    ["the wall clock", "wasi:clocks/wall-clock", '"now" (func $f (param i32))', "(call $f (i32.const 16))"],
    ["a random number", "wasi:random/random", '"get-random-u64" (func $f (result i64))', NOTE],
    ["an insecure one", "wasi:random/insecure", '"get-insecure-random-u64" (func $f (result i64))', NOTE],
    ["a seed", "wasi:random/insecure-seed", '"insecure-seed" (func $f (param i32))', "(call $f (i32.const 16))"],
  ])("is put back to the state before, and told anew: %s", async (_what, from, imported, start) => {
    const engine = await plugin({ imports: `(import "${from}@0.2.0" ${imported})`, start, serve: TELL });
    const seat = await NumberSeat.take(engine);
    const told = new Set<bigint | undefined>();
    for (let round = 0; round < 100; round += 1) {
      told.add(await seat.ask());
      vi.advanceTimersByTime(1_000);
      expect(seat.restore()).toBe("unstarted");
      seat.start();
    }
    expect(told.size).toBe(100);
  });

  it("has a timer of its own, which runs from its start", async () => {
    const engine = await plugin({
      imports: `(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
        (import "wasi:io/poll@0.2.0" "[method]pollable.ready" (func $ready (param i32) (result i32)))`,
      start: "(i32.store (i32.const 16) (call $after (i64.const 1000000000)))",
      serve: "(i64.extend_i32_u (call $ready (i32.load (i32.const 16))))",
    });
    const seat = await NumberSeat.take(engine);
    for (let round = 0; round < 3; round += 1) {
      expect(await seat.ask()).toBe(0n);
      vi.advanceTimersByTime(1_000);
      expect(await seat.ask()).toBe(1n);
      expect(seat.putBack()).toBe(true);
    }
  });

  const RANDOM = `(import "wasi:random/random@0.2.0" "get-random-u64" (func $f (result i64)))`;

  it("has the budgets and the handles of a new one, however often it starts again", async () => {
    const engine = await plugin({
      imports: `${RANDOM} ${STDOUT}
        (import "wasi:random/random@0.2.0" "get-random-bytes" (func $bytes (param i64 i32)))`,
      // Together the starts draw, and hold, more than one call may.
      start: `(drop (call $f)) (global.set $held (call $stdout)) (call $bytes (i64.const 300) (i32.const 128))`,
      fields: "(global $held (mut i32) (i32.const 0))",
      serve: "(i64.extend_i32_u (global.get $held))",
    });
    const seat = await NumberSeat.take(engine);
    const first = await seat.ask();
    for (let round = 0; round <= MAX_OPEN_HANDLES; round += 1) {
      expect(seat.putBack()).toBe(true);
      expect(await seat.ask()).toBe(first);
    }
  });

  it("begins with what its start grows its memory by in reserve, from the second instance on", async () => {
    const engine = await plugin({
      imports: RANDOM,
      start: `${NOTE} (drop (memory.grow (i32.const 5)))`,
      serve: "(i64.extend_i32_u (memory.size))",
    });
    const [first, second] = [await NumberSeat.take(engine), await NumberSeat.take(engine)];
    expect([await first.ask(), first.putBack()]).toEqual([7n, false]);
    expect(second.memoryBytes).toBe((2 + 8) * 65_536);
    for (let round = 0; round < 3; round += 1) expect([await second.ask(), second.putBack()]).toEqual([7n, true]);
  });

  it.each(["noted", "compared"] as const)(
    "has nothing left of what its start did before: changes are %s",
    async (changes) => {
      const engine = await plugin({
        imports: `(import "wasi:random/random@0.2.0" "get-random-bytes" (func $bytes (param i64 i32)))`,
        // The guest writes, also into memory that it grows by, and the host does: the random bytes lie behind `$free`.
        start: `(if (i32.or (i32.load8_u (i32.const 20000)) (i32.load8_u (i32.const 4096))) (then (unreachable)))
        (memory.fill (i32.const 20000) (i32.const 1) (i32.const 9000))
        (drop (memory.grow (i32.const 1)))
        (if (i64.ne (i64.load (i32.const 140000)) (i64.const 0)) (then (unreachable)))
        (i64.store (i32.const 140000) (i64.const -1))
        (call $bytes (i64.const 5000) (i32.const 128))`,
        serve: "(memory.fill (i32.const 30000) (i32.const 2) (i32.const 9000)) (i64.load (i32.load (i32.const 128)))",
        changes,
      });
      await (await NumberSeat.take(engine)).ask();
      const seat = await NumberSeat.take(engine);
      const told = new Set<bigint | undefined>();
      for (let round = 0; round < 20; round += 1) {
        told.add(await seat.ask());
        expect(seat.restore()).toBe("unstarted");
        seat.start();
      }
      expect([told.size, told.has(undefined)]).toEqual([20, false]);
    },
  );

  it("is stopped where it does not end by the moment that it has, as it starts again", async () => {
    const takeFlag = vi.spyOn(StopFlags.prototype, "take");
    const engine = await plugin({
      imports: `(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $f (result i64)))`,
      start: "(loop $again (br_if $again (i64.ge_u (call $f) (i64.const 500000000))))",
      serve: "(i64.const 1)",
    });
    const seat = await NumberSeat.take(engine);
    expect(await seat.ask()).toBe(1n);
    vi.advanceTimersByTime(500);
    expect(seat.restore()).toBe("unstarted");
    const flag = takeFlag.mock.results[0]?.value as StopFlag;
    // In place of the stopper, which no test can hold to a moment.
    const begin = vi.spyOn(flag, "begin").mockImplementation(() => flag.stop());
    const end = vi.spyOn(flag, "end");
    expect(() => seat.start(1_234)).toThrow(StoppedError);
    expect(begin.mock.calls).toEqual([[1_234]]);
    expect(end.mock.results.map(({ value }) => value as boolean)).toEqual([true]);
  });

  it("is of no use where it traps when it starts again", async () => {
    const engine = await plugin({
      imports: `(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $f (result i64)))`,
      start: `(if (i64.ge_u (call $f) (i64.const 500000000)) (then (unreachable)))`,
      serve: "(i64.const 1)",
    });
    const seat = await NumberSeat.take(engine);
    expect(await seat.ask()).toBe(1n);
    vi.advanceTimersByTime(500);
    expect(seat.restore()).toBe("unstarted");
    expect(() => seat.start()).toThrow("unreachable");
  });

  /** A plugin with a module that asks the clock at its start, and one that is filled after it. */
  const clockPlugin = async (modules: string): Promise<Engine> =>
    prepareEngine(
      await assemblePlugin({
        insert: {
          imports: '(import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))',
          exports: `(alias export $clock "now" (func $now)) (core func $now (canon lower (func $now)))
            (core module $asking (import "main" "memory" (memory 1)) (import "clock" "now" (func $now (result i64)))
              (func $start (i64.store (i32.const 64) (call $now))) (start $start))
            (core instance (instantiate $asking
              (with "main" (instance $main)) (with "clock" (instance (export "now" (func $now))))))
            ${modules}`,
        },
      }),
    );

  it.each([
    ["is not put back where a module after it writes into a memory that the start could see", "memory", "impossible"],
    ["is put back where that module writes into a memory of its own", "own", "unstarted"],
  ])("%s", async (_what, target, restoration) => {
    const memory = target === "own" ? "(memory 1)" : '(import "main" "memory" (memory 1))';
    const engine = await clockPlugin(`(core module $filled ${memory} (data (i32.const 64) "some data"))
      (core instance (instantiate $filled (with "main" (instance $main))))`);
    const seat = await NumberSeat.take(engine);
    await seat.askNothing();
    expect(seat.restore()).toBe(restoration);
  });
});

describe("an instance that the host told nothing at its start", () => {
  it("is put back as it was, also where it was told what every instance is", async () => {
    const engine = await plugin({
      imports: `(import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
        (import "wasi:clocks/monotonic-clock@0.2.0" "resolution" (func $resolution (result i64)))
        (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
        (import "local:network-host/logging@1.0.0" "log" (func $log (param i32 i32 i32)))
        (import "local:network-host/key-value-store@1.0.0" "[constructor]key-value-store" (func $open (param i32 i32) (result i32)))
        ${STDOUT}`,
      start: `(call $environment (i32.const 128)) (drop (call $resolution)) (call $log (i32.const 0) (i32.const 0) (i32.const 4))
        (i32.store (i32.const 20) (call $open (i32.const 0) (i32.const 4)))
        (i32.store (i32.const 16) (call $stdout)) (call $check (i32.load (i32.const 16)) (i32.const 128))
        (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 8) (i32.const 128))`,
      // What it is told in a request is gone with it.
      serve: "(call $now)",
    });
    const seat = await NumberSeat.take(engine);
    for (let round = 0; round < 3; round += 1) {
      expect(await seat.ask()).toBeGreaterThan(0n);
      expect(seat.putBack()).toBe(true);
    }
  });
});

describe("what answers every instance alike", () => {
  it("is named by interfaces and functions that are there", () => {
    for (const name of ANSWER_ALIKE) expect(PROVIDED_INTERFACES).toContain(name.split("#")[0]);
    const functions = [...ANSWER_ALIKE].filter((name) => name.includes("#")).map((name) => name.split("#")[1]);
    expect(new Set(functions)).toEqual(new Set(["resolution", "[constructor]key-value-store"]));
  });

  it("is nothing that is not named: whatever an interface may say that comes later", () => {
    expect(answersAlike("wasi:config/store", "get")).toBe(false);
    expect(answersAlike("wasi:clocks/monotonic-clock", "subscribe-instant")).toBe(false);
  });
});

describe("a memory that grew unseen", () => {
  /** Grows by the lower half of the payload, in pages; then reads so many bytes beyond the end as the upper half says. */
  const GROWING = `(drop (memory.grow (i32.wrap_i64 (local.get $payload))))
    (if (i64.ne (i64.shr_u (local.get $payload) (i64.const 32)) (i64.const 0)) (then
      (drop (i32.load8_u (i32.add (i32.mul (memory.size) (i32.const 65536)) (i32.wrap_i64 (i64.shr_u (local.get $payload) (i64.const 32))))))))
    (i64.extend_i32_u (memory.size))`;
  const beyond = (pages: bigint): bigint => (pages * 65_536n - 1n) << 32n;
  const pageBytes = 65_536;

  it("costs its instance, and later ones begin with as much", async () => {
    const engine = await plugin({ serve: GROWING });
    const first = await NumberSeat.take(engine);
    expect(await first.ask(3n)).toBe(5n);
    expect(first.putBack()).toBe(false);
    const later = await NumberSeat.take(engine);
    expect(later.memoryBytes).toBe(6 * pageBytes);
    for (let round = 0; round < 3; round += 1) {
      expect(await later.ask(3n)).toBe(5n);
      expect(later.putBack()).toBe(true);
      expect(await later.ask(0n)).toBe(2n);
      expect(later.putBack()).toBe(true);
    }
  });

  it("does not tell a later request of an earlier one: what lies beyond is there or not, whatever was asked before", async () => {
    const engine = await plugin({ serve: GROWING });
    const outgrown = await NumberSeat.take(engine);
    await outgrown.ask(4n);
    expect(outgrown.putBack()).toBe(false);
    const [used, unused] = [await NumberSeat.take(engine), await NumberSeat.take(engine)];
    for (const pages of [4n, 1n, 3n]) {
      expect(await used.ask(pages)).toBe(2n + pages);
      expect(used.putBack()).toBe(true);
    }
    for (const seat of [used, unused]) {
      expect(await seat.ask(beyond(4n))).toBe(2n);
      expect(await seat.ask(beyond(5n))).toBeUndefined();
    }
  });

  it("is put back as long as it stays within the largest reserve, and never beyond", async () => {
    const engine = await plugin({ serve: GROWING });
    const most = RESERVES.at(-1) as number;
    for (const pages of [most + 1, most + 1]) {
      const seat = await NumberSeat.take(engine);
      expect(seat.memoryBytes).toBe(2 * pageBytes);
      expect(await seat.ask(BigInt(pages))).toBe(BigInt(2 + pages));
      expect(seat.putBack()).toBe(false);
    }
    await (await NumberSeat.take(engine)).ask(1n);
    for (const isPutBack of [false, true]) {
      const seat = await NumberSeat.take(engine);
      expect(await seat.ask(BigInt(most))).toBe(BigInt(2 + most));
      expect(seat.putBack()).toBe(isPutBack);
    }
  });

  it("has no more in reserve than it may grow by", async () => {
    const engine = await plugin({ memory: "2 5", serve: GROWING });
    for (const isPutBack of [false, true]) {
      const seat = await NumberSeat.take(engine);
      expect(await seat.ask(3n)).toBe(5n);
      expect(await seat.ask(1n)).toBe(5n);
      expect(seat.putBack()).toBe(isPutBack);
    }
  });
});
