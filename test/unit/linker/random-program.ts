/**
 * Random plugins: each has some state of every kind, does something with it at its start, and then whatever a request's
 * payload says. A reply tells all that the plugin can see of its state before the request, and what came of each action.
 *
 * A payload is a list of actions: a byte that picks one, and 64 bits for it to work with.
 */

import fc from "fast-check";
import { STORE_FUNCTION } from "./stores.ts";
import { BIT_TYPES, type BitType } from "../../../src/contract/link-plan.ts";

/** What a plugin asks the host at its start that differs from instance to instance. */
const QUESTIONS = ["monotonic", "wall", "duration", "poll", "random"] as const;

export type Question = (typeof QUESTIONS)[number];

/** What a plugin holds from its start. */
const HOLDINGS = ["bucket", "stdout", "stdin", "pollable"] as const;

/** What keeps a plugin's instances from being put back, beside questions. */
const HINDRANCES = ["table changes", "drops", "a reference"] as const;

interface Action {
  readonly pick: number;
  readonly bits: bigint;
}

export interface Program {
  readonly globals: readonly { readonly type: BitType; readonly bits: bigint }[];
  readonly pages: number;
  readonly changes: "noted" | "compared";
  readonly growth: "none" | "grows" | "grows to a bound";
  readonly holdings: readonly (typeof HOLDINGS)[number][];
  readonly hindrances: readonly (typeof HINDRANCES)[number][];
  readonly questions: readonly Question[];
  readonly start: readonly Action[];
}

/** Bits of which many are those of a NaN, quiet or not, of either width. */
const bits = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 51n - 1n }).map((payload) => 0x7ff0_0000_0000_0000n | payload),
  fc.bigInt({ min: 0n, max: 2n ** 22n - 1n }).map((payload) => 0xffff_ffff_7f80_0000n | payload),
);

const actions = (maxLength: number): fc.Arbitrary<Action[]> =>
  fc.array(fc.record({ pick: fc.nat({ max: 255 }), bits }), { maxLength });

/** Three of four have none. */
function seldom<Value>(values: readonly Value[]): fc.Arbitrary<readonly Value[]> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray([...values]) });
}

export const programs: fc.Arbitrary<Program> = fc.record({
  globals: fc.array(fc.record({ type: fc.constantFrom(...BIT_TYPES), bits }), { minLength: 1, maxLength: 8 }),
  pages: fc.integer({ min: 3, max: 5 }),
  changes: fc.constantFrom("noted", "noted", "compared"),
  growth: fc.constantFrom("none", "grows", "grows to a bound"),
  holdings: fc.subarray([...HOLDINGS]),
  hindrances: seldom(HINDRANCES),
  questions: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.constantFrom(...QUESTIONS.map((question) => [question])) },
  ),
  start: actions(3),
});

/** Payloads of the requests that a plugin gets, one after the other. */
export const requests: fc.Arbitrary<Uint8Array[]> = fc.array(actions(8).map(encodeActions), {
  minLength: 3,
  maxLength: 8,
});

function encodeActions(list: readonly Action[]): Uint8Array {
  const payload = Buffer.alloc(list.length * 9);
  for (const [index, action] of list.entries()) {
    payload.writeUInt8(action.pick, index * 9);
    payload.writeBigUInt64LE(action.bits, index * 9 + 1);
  }
  return payload;
}

/** Parameters are put into the second page, the reply is in the third; neither is state. */
const PARAMETERS = 65_536;
const REPLY = 131_072;
/** Where functions of the host's leave their results, and where handles are kept. */
const SCRATCH = REPLY + 32_768;
const HELD = { bucket: 16, stdout: 20, stdin: 24, pollable: 28 } as const;
const TOLD = 64;

/** The plugin's core module. */
export function moduleText(program: Program): string {
  const acts = actsOf(program);
  const { growth, pages } = program;
  const bound = growth === "grows to a bound" ? String(pages + 3) : "";
  return `(module
    ${importsOf(program)}
    (memory (export "memory") ${pages} ${bound})
    (global $free (mut i32) (i32.const ${PARAMETERS}))
    ${program.globals.map(({ type, bits: initial }, index) => globalText(type, initial, index)).join("\n")}
    ${program.hindrances.includes("a reference") ? "(global $reference (mut funcref) (ref.null func))" : ""}
    (type $number (func (result i64)))
    (table $table 8 20 funcref)
    (elem (i32.const 1) func $one $two) (elem $elements func $two $one) (elem declare func $one $two)
    (data (i32.const 256) "some data") (data $bytes "passive data")
    (func $one (type $number) (i64.const 1)) (func $two (type $number) (i64.const 2))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
      (global.get $free)
      (global.set $free (i32.add (global.get $free) (local.get $size))))
    ${acts.map((body, index) => `(func $act${index} (param $bits i64) (result i64) ${body})`).join("\n")}
    (func $do (param $pick i32) (param $bits i64) (result i64)
      ${acts.map((_, index) => `(if (i32.eq (i32.rem_u (local.get $pick) (i32.const ${acts.length})) (i32.const ${index})) (then (return (call $act${index} (local.get $bits)))))`).join("\n")}
      (i64.const 0))
    ${LOOK}
    ${STORE_FUNCTION}
    (func $see (result i64) (local $seen i64)
      (local.set $seen (call $look (i32.const 0) (i32.const ${PARAMETERS})))
      (local.set $seen (i64.add (local.get $seen) (call $look (i32.const ${3 * 65_536}) ${growth === "none" ? `(i32.const ${pages * 65_536})` : "(i32.mul (memory.size) (i32.const 65536))"})))
      (local.set $seen (call $mix (local.get $seen) (i64.extend_i32_u (global.get $free))))
      ${program.globals.map(({ type }, index) => `(local.set $seen (call $mix (local.get $seen) ${readGlobal(type, index)}))`).join("\n")}
      ${[0, 1, 2, 3, 7].map((slot) => `(local.set $seen (call $mix (local.get $seen) (call $slot (i32.const ${slot}))))`).join("\n")}
      (local.get $seen))
    (func $slot (param $at i32) (result i64)
      (if (result i64) (ref.is_null (table.get $table (local.get $at)))
        (then (i64.const -1)) (else (call_indirect $table (type $number) (local.get $at)))))
    (func (export "_initialize")
      ${program.holdings.map(holdText).join("\n")}
      ${program.questions.map(askText).join("\n")}
      ${program.start.map(({ pick, bits: value }) => `(drop (call $do (i32.const ${pick}) (i64.const ${BigInt.asIntN(64, value)})))`).join("\n")})
    (func (export "local:network-host/handler@1.0.0#get-access-levels") (result i32) (i32.const 0))
    (func (export "local:network-host/handler@1.0.0#handle-request")
      (param i32 i32 i32 i32) (param $payload i32) (param $bytes i32) (result i32)
      (local $reply i32) (local $end i32)
      (local.set $reply (i32.const ${REPLY}))
      (i64.store (local.get $reply) (call $see))
      (local.set $end (i32.add (local.get $payload) (local.get $bytes)))
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $payload) (local.get $end)))
        (local.set $reply (i32.add (local.get $reply) (i32.const 8)))
        (i64.store (local.get $reply)
          (call $do (i32.load8_u (local.get $payload)) (i64.load offset=1 (local.get $payload))))
        (local.set $payload (i32.add (local.get $payload) (i32.const 9)))
        (br $next)))
      (i32.store8 (i32.const ${SCRATCH + 64}) (i32.const 0))
      (i32.store16 (i32.const ${SCRATCH + 68}) (i32.const 200))
      (i32.store (i32.const ${SCRATCH + 72}) (i32.const ${REPLY}))
      (i32.store (i32.const ${SCRATCH + 76}) (i32.sub (i32.add (local.get $reply) (i32.const 8)) (i32.const ${REPLY})))
      (i32.const ${SCRATCH + 64})))`;
}

const LOOK = `(func $mix (param i64 i64) (result i64)
      (i64.mul (i64.xor (i64.rotl (local.get 0) (i64.const 23)) (local.get 1)) (i64.const 0x100000001b3)))
    (func $look (param $from i32) (param $to i32) (result i64) (local $seen i64)
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
        (local.set $seen (call $mix (local.get $seen) (i64.load (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (br $next)))
      (local.get $seen))`;

function importsOf({ holdings, questions }: Program): string {
  const has = (name: string): boolean => [...holdings, ...questions].some((one) => one === name);
  const texts = [
    `(import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))`,
    `(import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))`,
    `(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))`,
  ];
  if (has("duration") || has("poll"))
    texts.push(
      `(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))`,
      `(import "wasi:io/poll@0.2.0" "[method]pollable.ready" (func $ready (param i32) (result i32)))`,
    );
  if (has("bucket"))
    texts.push(
      `(import "local:network-host/key-value-store@1.0.0" "[constructor]key-value-store" (func $open (param i32 i32) (result i32)))`,
      `(import "local:network-host/key-value-store@1.0.0" "[resource-drop]key-value-store" (func $close (param i32)))`,
    );
  if (has("stdout") || has("pollable"))
    texts.push(
      `(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))`,
      `(import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $check (param i32 i32)))`,
      `(import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))`,
      `(import "wasi:io/streams@0.2.0" "[method]output-stream.subscribe" (func $subscribe (param i32) (result i32)))`,
      `(import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $end-output (param i32)))`,
    );
  if (has("stdin"))
    texts.push(
      `(import "wasi:cli/stdin@0.2.0" "get-stdin" (func $stdin (result i32)))`,
      `(import "wasi:io/streams@0.2.0" "[method]input-stream.read" (func $read (param i32 i64 i32)))`,
    );
  return texts.join("\n");
}

/** A global of these bits; an f32 and a vector get them at the start, from the text of an f64 only. */
function globalText(type: BitType, initial: bigint, index: number): string {
  const low = BigInt.asIntN(32, initial);
  const nan = initial & 0xf_ffff_ffff_ffffn || 1n;
  const text: Readonly<Record<BitType, string>> = {
    i32: `i32.const ${low}`,
    i64: `i64.const ${BigInt.asIntN(64, initial)}`,
    f32: `f32.const nan:0x${(initial & 0x7f_ffffn || 1n).toString(16)}`,
    f64: `f64.const nan:0x${nan.toString(16)}`,
    v128: `v128.const i64x2 ${BigInt.asIntN(64, initial)} ${low}`,
  };
  return `(global $global${index} (mut ${type}) (${text[type]}))`;
}

function readGlobal(type: BitType, index: number): string {
  const get = `(global.get $global${index})`;
  const read: Readonly<Record<BitType, string>> = {
    i32: `(i64.extend_i32_u ${get})`,
    i64: get,
    f32: `(i64.extend_i32_u (i32.reinterpret_f32 ${get}))`,
    f64: `(i64.reinterpret_f64 ${get})`,
    v128: `(i64.xor (i64x2.extract_lane 0 ${get}) (i64.rotl (i64x2.extract_lane 1 ${get}) (i64.const 7)))`,
  };
  return read[type];
}

function writeGlobal(type: BitType, index: number): string {
  const value: Readonly<Record<BitType, string>> = {
    i32: `(i32.wrap_i64 (local.get $bits))`,
    i64: `(local.get $bits)`,
    f32: `(f32.reinterpret_i32 (i32.wrap_i64 (local.get $bits)))`,
    f64: `(f64.reinterpret_i64 (local.get $bits))`,
    v128: `(i64x2.splat (local.get $bits))`,
  };
  return `(global.set $global${index} ${value[type]})`;
}

/** The bytes of the memory, as the guest knows its size. */
function bytesText({ growth, pages }: Program): string {
  return growth === "none"
    ? `(i64.const ${pages * 65_536})`
    : `(i64.extend_i32_u (i32.mul (memory.size) (i32.const 65536)))`;
}

/** Stores of every kind: across the end of a block of 2 KiB, and around the memory's end, where many trap. */
function storeTexts(program: Program): string[] {
  const bytes = bytesText(program);
  const back = "(i64.and (i64.shr_u (local.get $bits) (i64.const 20)) (i64.const 31))";
  const inside = `(i64.rem_u (local.get $bits) (i64.sub ${bytes} (i64.const 8192)))`;
  const edge = `(i64.sub (i64.add (i64.and ${inside} (i64.const -2048)) (i64.const 4096)) ${back})`;
  const store = (at: string): string => `(call $store (local.get $bits) (i32.wrap_i64 ${at}))`;
  return [store(edge), store(edge), seldomText(`(drop ${store(`(i64.sub ${bytes} ${back})`)})`)];
}

/** Where in the memory the bits point: anywhere that eight bytes fit. */
function addressText(program: Program): string {
  const bytes = bytesText(program);
  return `(i32.wrap_i64 (i64.rem_u (local.get $bits) (i64.sub ${bytes} (i64.const 8))))`;
}

function actsOf(program: Program): string[] {
  const { globals, growth, holdings, hindrances } = program;
  const address = addressText(program);
  const small = (most: number): string => `(i32.wrap_i64 (i64.rem_u (local.get $bits) (i64.const ${most})))`;
  const acts = globals.map(({ type }, index) => `${readGlobal(type, index)} ${writeGlobal(type, index)}`);
  acts.push(
    `(i64.load ${address}) (i64.store ${address} (local.get $bits))`,
    `(i64.load ${address}) (memory.fill ${address} ${small(256)} (i32.const 8))`,
    ...storeTexts(program),
    `(memory.init $bytes ${address} ${small(12)} (i32.const 0)) (i64.const 1)`,
    `(call $slot ${small(8)})`,
    `(drop (call $random)) (i64.const 2)`,
    `(drop (call $now)) (call $wall (i32.const ${SCRATCH})) (i64.store (i32.const ${SCRATCH}) (i64.const 0)) (i64.const 3)`,
    seldomText(`(unreachable)`),
  );
  // What only some plugins have is done as often as all the rest.
  const special: string[] = [];
  if (growth !== "none")
    special.push(`(i64.extend_i32_s (memory.grow ${small(3)}))`, `(i64.extend_i32_u (memory.size))`);
  if (hindrances.includes("table changes"))
    special.push(
      `(table.set $table ${small(8)} (if (result funcref) (i64.lt_s (local.get $bits) (i64.const 0)) (then (ref.null func)) (else (ref.func $two)))) (i64.const 4)`,
      `(table.init $table $elements ${small(4)} (i32.const 0) (i32.const 2)) (i64.const 5)`,
      `(i64.extend_i32_s (table.grow $table (ref.func $one) ${small(3)}))`,
    );
  if (hindrances.includes("drops"))
    special.push(`(data.drop $bytes) (i64.const 6)`, `(elem.drop $elements) (i64.const 7)`);
  if (hindrances.includes("a reference"))
    special.push(`(i64.extend_i32_u (ref.is_null (global.get $reference))) (global.set $reference (ref.func $one))`);
  if (holdings.includes("bucket"))
    special.push(
      `(i64.extend_i32_u (call $open (i32.const 256) ${small(9)}))`,
      seldomText(`(call $close (i32.add (i32.const 1) ${small(3)}))`),
    );
  if (holdings.includes("stdout"))
    special.push(
      `(call $check (i32.load (i32.const ${HELD.stdout})) (i32.const ${SCRATCH})) (i64.load offset=8 (i32.const ${SCRATCH}))`,
      seldomText(
        `(call $write (i32.load (i32.const ${HELD.stdout})) (i32.const 0) ${small(40_000)} (i32.const ${SCRATCH}))`,
      ),
    );
  if (holdings.includes("stdin"))
    special.push(
      `(call $read (i32.load (i32.const ${HELD.stdin})) (i64.rem_u (local.get $bits) (i64.const 2)) (i32.const ${SCRATCH})) (i64.load8_u (i32.const ${SCRATCH}))`,
    );
  if (special.length === 0) return acts;
  while (special.length < acts.length) special.push(...special);
  return [...acts, ...special];
}

/** What traps in most cases is done in one of four, so that there is something to put back. */
function seldomText(act: string): string {
  return `(if (i64.eqz (i64.and (local.get $bits) (i64.const 0x300))) (then ${act})) (i64.const 9)`;
}

function holdText(holding: (typeof HOLDINGS)[number]): string {
  const made: Readonly<Record<(typeof HOLDINGS)[number], string>> = {
    bucket: "(call $open (i32.const 256) (i32.const 4))",
    stdout: "(call $stdout)",
    stdin: "(call $stdin)",
    pollable: "(call $subscribe (call $stdout))",
  };
  return `(i32.store (i32.const ${HELD[holding]}) ${made[holding]})`;
}

/** Asks, and keeps what it was told. */
function askText(question: Question): string {
  const told: Readonly<Record<Question, string>> = {
    monotonic: `(i64.store (i32.const ${TOLD}) (call $now))`,
    wall: `(call $wall (i32.const ${TOLD + 16}))`,
    duration: `(i32.store (i32.const ${TOLD + 32}) (call $after (i64.const 1000000000)))`,
    poll: `(i32.store (i32.const ${TOLD + 36}) (call $ready (call $after (i64.const 0))))`,
    random: `(i64.store (i32.const ${TOLD + 40}) (call $random))`,
  };
  return told[question];
}
