/** Every instruction that changes a memory, as text, for modules with passive data `$bytes` and a memory of their own. */

/** Value operands by type, computed from `$bits`. */
const VALUES = {
  i32: "(i32.wrap_i64 (local.get $bits))",
  i64: "(local.get $bits)",
  f32: "(f32.reinterpret_i32 (i32.wrap_i64 (local.get $bits)))",
  f64: "(f64.reinterpret_i64 (local.get $bits))",
  v128: "(i64x2.splat (i64.or (local.get $bits) (i64.const 0x0101010101010101)))",
} as const;

type ValueType = keyof typeof VALUES;

/** `$at` is where it stores; `offset` is what the instruction adds to `$at`, less of which is on the stack. */
type StoreText = (offset: number) => string;

const address = (offset: number, at = "(local.get $at)"): string => `(i32.sub ${at} (i32.const ${offset}))`;
const ALIGNED = "(i32.and (local.get $at) (i32.const -8))";

function plain(name: string, type: ValueType): [string, StoreText] {
  return [name, (offset) => `(${name} offset=${offset} ${address(offset)} ${VALUES[type]})`];
}

/** Accesses that are atomic trap unless they are aligned. */
function atomic(name: string, operands: readonly ValueType[], result: boolean): [string, StoreText] {
  const values = operands.map((type) => VALUES[type]).join(" ");
  const access = (offset: number): string => `(${name} offset=${offset} ${address(offset, ALIGNED)} ${values})`;
  return [name, (offset) => (result ? `(drop ${access(offset)})` : access(offset))];
}

const WIDTHS = ["i32", "i64"].flatMap((type) =>
  ["", "8", "16", "32"]
    .filter((width) => width !== type.slice(1))
    .map((width): [ValueType, string] => [type as ValueType, width]),
);

const READ_MODIFY_WRITE = ["add", "sub", "and", "or", "xor", "xchg"];

/** Of `cmpxchg`, what is expected is what is there: in a test's memory of zeroes, at least. */
function compareExchange(type: ValueType, width: string): [string, StoreText] {
  const name = `${type}.atomic.rmw${width}.cmpxchg${width === "" ? "" : "_u"}`;
  return [
    name,
    (offset) => `(drop (${name} offset=${offset} ${address(offset, ALIGNED)} (${type}.const 0) ${VALUES[type]}))`,
  ];
}

/** Name → text. */
export const STORE_TEXTS: ReadonlyMap<string, StoreText> = new Map<string, StoreText>([
  ...["i32.store", "i32.store8", "i32.store16"].map((name) => plain(name, "i32")),
  ...["i64.store", "i64.store8", "i64.store16", "i64.store32"].map((name) => plain(name, "i64")),
  plain("f32.store", "f32"),
  plain("f64.store", "f64"),
  plain("v128.store", "v128"),
  ...["8", "16", "32", "64"]
    .map((width) => plain(`v128.store${width}_lane`, "v128"))
    .map(([name, text]) => withLane(name, text)),
  ...WIDTHS.map(([type, width]) => atomic(`${type}.atomic.store${width}`, [type], false)),
  ...READ_MODIFY_WRITE.flatMap((operation) =>
    WIDTHS.map(([type, width]) =>
      atomic(`${type}.atomic.rmw${width}.${operation}${width === "" ? "" : "_u"}`, [type], true),
    ),
  ),
  ...WIDTHS.map(([type, width]) => compareExchange(type, width)),
  ["memory.fill", () => "(memory.fill (local.get $at) (i32.const 7) (i32.const 5))"],
  ["memory.copy", () => "(memory.copy (local.get $at) (i32.const 256) (i32.const 9))"],
  ["memory.init", () => "(memory.init $bytes (local.get $at) (i32.const 1) (i32.const 8))"],
]);

function withLane(name: string, text: StoreText): [string, StoreText] {
  // The lane's number is the last immediate.
  return [name, (offset) => text(offset).replace(/(offset=\d+) /, "$1 1 ")];
}

/** `$store`: stores at `$at` in the way that the bits say. */
export const STORE_FUNCTION = `(func $store (param $bits i64) (param $at i32) (result i64)
  ${[...STORE_TEXTS.values()]
    .map(
      (
        text,
        index,
      ) => `(if (i64.eq (i64.rem_u (i64.shr_u (local.get $bits) (i64.const 8)) (i64.const ${STORE_TEXTS.size})) (i64.const ${index}))
        (then ${text(index % 3 === 0 ? 0 : index * 7)}))`,
    )
    .join("\n")}
  (i64.const 10))`;
