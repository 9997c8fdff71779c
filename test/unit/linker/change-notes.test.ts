/** Where changes are noted, what was changed is put back, whoever changed it and wherever it lies. */

import { describe, expect, it } from "vitest";
import { CHANGE_BLOCK_LOG2 } from "../../../src/contract/link-plan.ts";
import { assemblePlugin, type PluginEdits } from "../../fixtures/wat/assemble.ts";
import { BitAudit } from "../../harness/bit-audit.ts";
import { buildComponent } from "../runner/artifacts.ts";
import { type Changes, prepareEngine } from "./link.ts";
import { Seat } from "./seat.ts";
import { STORE_TEXTS } from "./stores.ts";

const BLOCK_BYTES = 2 ** CHANGE_BLOCK_LOG2;

class NotedSeat extends Seat {
  /** The reply's body, or what the call ended as. */
  async ask(payload: Uint8Array): Promise<string> {
    const outcome = await this.call(payload, { id: "an id", method: "a method" });
    return outcome.kind === "ok" ? Buffer.from(outcome.response.body).toString("hex") : outcome.kind;
  }
}

/** `$serve` is given where the payload begins and how long it is; the reply is sixteen bytes at its result. */
function moduleText(serve: string, memory = "4", more = ""): string {
  return `(module (memory (export "memory") ${memory}) (data $bytes "some passive data") (data (i32.const 256) "some data")
    (global $free (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.get $free) (global.set $free (i32.and (i32.add (global.get $free) (i32.add (local.get $size) (i32.const 15))) (i32.const -16))))
    ${more}
    (func $serve (param $from i32) (param $bytes i32) (result i32) ${serve})
    (func (export "local:network-host/handler@1.0.0#get-access-levels") (result i32) (i32.const 0))
    (func (export "local:network-host/handler@1.0.0#handle-request") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 72) (call $serve (local.get 4) (local.get 5)))
      (i32.store8 (i32.const 64) (i32.const 0)) (i32.store16 (i32.const 68) (i32.const 200))
      (i32.store (i32.const 76) (i32.const 16)) (i32.const 64)))`;
}

/** Stores by one kind at the address that the payload says, and replies with what is there then. */
function storing(text: string): string {
  return moduleText(
    `(local $at i32) (local $bits i64)
      (local.set $bits (i64.const 0x0123456789abcdef)) (local.set $at (i32.load (local.get $from)))
      ${text}
      (i32.sub (local.get $at) (i32.const 8))`,
    "4",
  );
}

function addressOf(at: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(at).buffer);
}

describe("what a guest stores", () => {
  it.each([...STORE_TEXTS])("is put back, also across the end of a block: %s", async (name, textAt) => {
    const component = await buildComponent(storing(textAt(3_000)));
    const answers: string[][] = [];
    for (const changes of ["noted", "compared"] as const) {
      const audit = new BitAudit();
      const engine = prepareEngine(component, audit, changes);
      const seat = await NotedSeat.take(engine);
      const replies: string[] = [];
      for (const before of [0, 1, 3, 8, 15]) {
        replies.push(await seat.ask(addressOf(70 * BLOCK_BYTES - before)));
        expect(seat.putBack()).toBe(true);
      }
      // The memory's last bytes, and beyond: some kinds fit, all others trap.
      for (const before of [16, 9, 8, 5, 4, 2, 1, 0]) {
        const end = await NotedSeat.take(engine);
        const last = addressOf(4 * 65_536 - before);
        replies.push(await end.ask(last));
        if (replies.at(-1) !== "trap") expect(end.putBack()).toBe(true);
      }
      expect(audit.restores).toBeGreaterThan(5);
      answers.push(replies);
    }
    const [noted, compared] = answers;
    expect(noted, name).toEqual(compared);
    expect(new Set(noted).size).toBeGreaterThan(1);
  });

  it.each([
    ["fill", (at: number, bytes: number) => `(memory.fill (i32.const ${at}) (i32.const 1) (i32.const ${bytes}))`],
    ["copy", (at: number, bytes: number) => `(memory.copy (i32.const ${at}) (i32.const 90000) (i32.const ${bytes}))`],
  ])("is put back in each block of a range: %s", async (_, change) => {
    const filled = "(func $fill (memory.fill (i32.const 90000) (i32.const 9) (i32.const 20000))) (start $fill)";
    for (const bytes of [1, 17, BLOCK_BYTES, BLOCK_BYTES + 18, 5 * BLOCK_BYTES + 1]) {
      for (const at of [20 * BLOCK_BYTES, 21 * BLOCK_BYTES - 1, 22 * BLOCK_BYTES + 1]) {
        const text = moduleText(`${change(at, bytes)} (i32.const 256)`, "4", filled);
        const seat = await NotedSeat.take(prepareEngine(await buildComponent(text), new BitAudit(), "noted"));
        await seat.ask(addressOf(0));
        expect(seat.putBack()).toBe(true);
      }
    }
  });

  it("is put back in memory that it has grown by, within the reserve", async () => {
    // Grows by two pages, finds zeroes in the second, and leaves something there.
    const text = moduleText(`(drop (memory.grow (i32.const 2)))
      (v128.store (i32.const 256) (v128.load (i32.const ${6 * 65_536 - 20})))
      (v128.store (i32.const ${6 * 65_536 - 20}) (v128.const i64x2 -1 -1)) (memory.fill (i32.const ${5 * 65_536}) (i32.const 1) (i32.const 5000))
      (i32.const 256)`);
    const engine = prepareEngine(await buildComponent(text), new BitAudit(), "noted");
    const first = await NotedSeat.take(engine);
    await first.ask(addressOf(0));
    expect(first.putBack()).toBe(false);
    const seat = await NotedSeat.take(engine);
    for (let round = 0; round < 3; round += 1) {
      expect(await seat.ask(addressOf(0))).toBe("00".repeat(16));
      expect(seat.putBack()).toBe(true);
    }
  });

  it("is nothing where it stores nothing, at the memory's end, too", async () => {
    const end = `(i32.const ${4 * 65_536})`;
    const text = moduleText(
      `(memory.fill ${end} (i32.const 1) (i32.const 0)) (memory.copy ${end} ${end} (i32.const 0))
      (memory.init $bytes ${end} (i32.const 0) (i32.const 0)) (i32.const 256)`,
    );
    const seat = await NotedSeat.take(prepareEngine(await buildComponent(text), new BitAudit(), "noted"));
    expect(await seat.ask(addressOf(0))).toBe(Buffer.from("some data").toString("hex").padEnd(32, "0"));
    expect(seat.putBack()).toBe(true);
  });

  it("is put back where its start function changed the memory, to how that left it", async () => {
    const text = moduleText(
      "(i32.store8 (i32.const 300) (i32.add (i32.load8_u (i32.const 300)) (i32.const 1))) (i32.const 300)",
      "4",
      "(func $start (i32.store8 (i32.const 300) (i32.const 40)) (memory.fill (i32.const 9000) (i32.const 1) (i32.const 9000))) (start $start)",
    );
    const seat = await NotedSeat.take(prepareEngine(await buildComponent(text), new BitAudit(), "noted"));
    for (let round = 0; round < 3; round += 1) {
      expect((await seat.ask(addressOf(0))).slice(0, 2)).toBe("29");
      expect(seat.putBack()).toBe(true);
    }
  });
});

describe("what the host writes", () => {
  // The guest stores nothing but its reply, and that in the first block.
  it.each([0, 1, 16, BLOCK_BYTES, 3 * BLOCK_BYTES + 1, 40_000])("is put back: a payload of %i bytes", async (bytes) => {
    const seat = await NotedSeat.take(
      prepareEngine(await buildComponent(moduleText("(i32.const 256)")), new BitAudit(), "noted"),
    );
    for (let round = 0; round < 2; round += 1) {
      await seat.ask(Buffer.alloc(bytes, 255));
      expect(seat.putBack()).toBe(true);
    }
  });

  it("is put back where a function leaves its result, across the end of a block", async () => {
    const at = 80 * BLOCK_BYTES - 8;
    const text = moduleText(`(call $now (i32.const ${at})) (i32.const 256)`).replace(
      "(module",
      '(module (import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))',
    );
    const seat = await NotedSeat.take(prepareEngine(await buildComponent(text), new BitAudit(), "noted"));
    for (let round = 0; round < 2; round += 1) {
      await seat.ask(addressOf(0));
      expect(seat.putBack()).toBe(true);
    }
  });
});

/** `$main` of the smallest plugin, with four pages, calls `$touch` in each request. */
function touching({ insert = {}, replace = {} }: PluginEdits): PluginEdits {
  return {
    insert,
    replace: {
      '(memory (export "memory") 1)': '(memory (export "memory") 4)',
      "(i32.store8 (i32.const 16) (i32.const 0))": "(call $touch) (i32.store8 (i32.const 16) (i32.const 0))",
      ...replace,
    },
  };
}

async function expectPutBack(edits: PluginEdits, changes: Changes): Promise<void> {
  const audit = new BitAudit();
  const seat = await NotedSeat.take(prepareEngine(await assemblePlugin(edits), audit, changes));
  for (let round = 0; round < 3; round += 1) {
    expect(await seat.ask(Buffer.alloc(0))).toBe("");
    expect(seat.putBack()).toBe(true);
  }
  expect(audit.restores).toBe(3);
}

const CHANGES = ["noted", "compared"] as const;

describe("what is stored by several modules", () => {
  it.each(CHANGES)("is put back where they share one memory, whoever defines it (%s)", async (changes) => {
    // The memory is of a module of its own; one module more stores to it, beside a memory of its own.
    const modules = `
      (core module $owner (memory (export "memory") 6) (func (export "own") (i64.store offset=4 (i32.const 300000) (i64.const -1))))
      (core instance $owner (instantiate $owner))
      (core module $guest (import "owner" "memory" (memory 6)) (func (export "share") (memory.fill (i32.const 8190) (i32.const 3) (i32.const 9))))
      (core instance $guest (instantiate $guest (with "owner" (instance $owner))))`;
    const imports = `(import "owner" "memory" (memory 6)) (import "owner" "own" (func $own)) (import "guest" "share" (func $share))`;
    const edits = touching({
      insert: {
        modules,
        "core-imports": imports,
        "core-body": `(func $touch (call $own) (call $share) (i32.store offset=6 (i32.const 2040) (i32.const -1)))`,
      },
      replace: {
        '(memory (export "memory") 1)': '(export "memory" (memory 0))',
        "(instantiate $main)": '(instantiate $main (with "owner" (instance $owner)) (with "guest" (instance $guest)))',
      },
    });
    await expectPutBack(edits, changes);
  });

  it.each(CHANGES)("is put back where a module stores to its own and to another's memory (%s)", async (changes) => {
    const modules = `(core module $owner (memory (export "memory") 2)) (core instance $owner (instantiate $owner))`;
    const edits = touching({
      insert: {
        modules,
        "core-imports": `(import "owner" "memory" (memory $other 2))`,
        "core-body": `(func $touch (i64.store $other (i32.const 2044) (i64.const -1)) (v128.store $own (i32.const 4090) (v128.const i64x2 5 6))
          (memory.copy $other $own (i32.const 9000) (i32.const 4080) (i32.const 3000)) (memory.fill $own (i32.const 70000) (i32.const 8) (i32.const 1)))`,
      },
      replace: {
        '(memory (export "memory") 1)': '(memory $own (export "memory") 2)',
        "(instantiate $main)": '(instantiate $main (with "owner" (instance $owner)))',
      },
    });
    // The smallest plugin's own stores are those to the memory of index 0.
    for (const name of ["i32.store8 (", "i32.store16 (", "i32.store ("])
      (edits.replace as Record<string, string>)[name] = name.replace(" (", " $own (");
    await expectPutBack(edits, changes);
  });

  it.each(CHANGES)("is put back in each instance of one module (%s)", async (changes) => {
    const modules = `
      (core module $twice (memory (export "memory") 2) (func (export "touch") (i32.store8 (i32.const 100000) (i32.const 1))))
      (core instance $one (instantiate $twice)) (core instance $two (instantiate $twice))`;
    const edits = touching({
      insert: {
        modules,
        "core-imports": `(import "one" "touch" (func $one)) (import "two" "touch" (func $two))`,
        "core-body": "(func $touch (call $one) (call $two))",
      },
      replace: {
        "(instantiate $main)": '(instantiate $main (with "one" (instance $one)) (with "two" (instance $two)))',
      },
    });
    await expectPutBack(edits, changes);
  });
});

describe("what happens in a nested component", () => {
  it.each(CHANGES)("is put back: its own stores, and texts and results that the host writes (%s)", async (changes) => {
    const nested = `
      (component $nested
        (core module $inner (memory (export "memory") 3) (global $free (mut i32) (i32.const 10000))
          (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $free) (global.set $free (i32.add (global.get $free) (i32.const 5000))))
          (func (export "take") (param $at i32) (param i32) (result i32)
            (i64.store (i32.const 100000) (i64.load (local.get $at)))
            (i32.store (i32.const 4092) (local.get $at)) (i32.store (i32.const 4096) (i32.const 5)) (i32.const 4092)))
        (core instance $inner (instantiate $inner))
        (alias core export $inner "memory" (core memory $memory)) (alias core export $inner "realloc" (core func $realloc))
        (func (export "take") (param "text" string) (result string)
          (canon lift (core func $inner "take") (memory $memory) (realloc $realloc))))
      (instance $nested (instantiate $nested))
      (core module $libc (memory (export "memory") 4) (global $free (mut i32) (i32.const 70000))
        (data (i32.const 1000) "a text that is passed on")
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
          (global.get $free) (global.set $free (i32.add (global.get $free) (i32.const 5000)))))
      (core instance $libc (instantiate $libc))
      (alias core export $libc "memory" (core memory $shared)) (alias core export $libc "realloc" (core func $allocate))
      (core func $take (canon lower (func $nested "take") (memory $shared) (realloc $allocate)))
      (core instance $lowered (export "take" (func $take)))`;
    const edits = touching({
      insert: {
        modules: nested,
        "core-imports": `(import "libc" "memory" (memory 4)) (import "nested" "take" (func $take (param i32 i32 i32)))`,
        "core-body": "(func $touch (call $take (i32.const 1000) (i32.const 24) (i32.const 6140)))",
      },
      replace: {
        '(memory (export "memory") 1)': '(export "memory" (memory 0))',
        "(instantiate $main)": '(instantiate $main (with "libc" (instance $libc)) (with "nested" (instance $lowered)))',
        "i32.const 1024)\n": "i32.const 200000)\n",
      },
    });
    await expectPutBack(edits, changes);
  });
});
