/**
 * Demangles the symbols of Rust to the paths in the source, without generic arguments, hashes and crate disambiguators.
 * Reads both manglings: that of RFC 2603 (`_R…`) and the one before it (`_ZN…E`).
 *
 * Symbols come from a plugin, so they may be anything. Text that is not a symbol is returned as it is, and time and length
 * are bounded. Parts that are not printed are only skipped, and a back reference is followed only where it is printed.
 *
 * @see https://rust-lang.github.io/rfcs/2603-rust-symbol-name-mangling-v0.html
 * @module
 */

const MAX_SYMBOL_CHARACTERS = 4_096;
const MAX_DEPTH = 64;
/** The most back references that are followed. */
const MAX_REFERENCES = 64;

/** The path of a Rust symbol; any other text is returned as it is. */
export function demangle(symbol: string): string {
  if (symbol.length > MAX_SYMBOL_CHARACTERS) return symbol;
  if (symbol.startsWith("_ZN")) return legacyPath(symbol) ?? symbol;
  if (!symbol.startsWith("_R")) return symbol;
  try {
    return new SymbolReader(symbol.slice(2)).path();
  } catch {
    return symbol;
  }
}

const HASH = /^h[0-9a-f]{16}$/;

const ESCAPES: Readonly<Record<string, string>> = {
  $SP$: "@",
  $BP$: "*",
  $RF$: "&",
  $LT$: "<",
  $GT$: ">",
  $LP$: "(",
  $RP$: ")",
  $C$: ",",
};

function legacyPath(symbol: string): string | undefined {
  const parts: string[] = [];
  let at = "_ZN".length;
  while (symbol[at] !== "E") {
    const [digits] = /^[1-9][0-9]{0,3}/.exec(symbol.slice(at, at + 4)) ?? [];
    if (digits === undefined) return undefined;
    at += digits.length;
    const part = symbol.slice(at, at + Number(digits));
    if (part.length < Number(digits)) return undefined;
    at += part.length;
    parts.push(part);
  }
  // A name without a hash is from C++.
  if (!HASH.test(parts.pop() ?? "")) return undefined;
  return parts.map(unescape).join("::");
}

function unescape(part: string): string {
  return part
    .replace(/^_(?=\$)/, "")
    .replace(/\$[A-Z]{1,2}\$/g, (escape) => ESCAPES[escape] ?? escape)
    .replace(/\$u([0-9a-f]{1,6})\$/g, (escape, hex: string) => {
      const code = Number.parseInt(hex, 16);
      return code > 0x10_ffff ? escape : String.fromCodePoint(code);
    })
    .replaceAll("..", "::");
}

const BASIC_TYPES: Readonly<Record<string, string>> = {
  a: "i8",
  b: "bool",
  c: "char",
  d: "f64",
  e: "str",
  f: "f32",
  h: "u8",
  i: "isize",
  j: "usize",
  l: "i32",
  m: "u32",
  n: "i128",
  o: "u128",
  p: "_",
  s: "i16",
  t: "u16",
  u: "()",
  v: "...",
  x: "i64",
  y: "u64",
  z: "!",
};

/** Namespaces whose items have no name in the source. */
const SPECIAL_NAMES: Readonly<Record<string, string>> = { C: "closure", S: "shim" };

class NoSymbol extends SyntaxError {}

/** Reads a symbol. Throws where the text is not one. Parts that are not printed read as empty text. */
class SymbolReader {
  readonly #symbol: string;
  #at = 0;
  #depth = 0;
  #references = 0;
  #prints = true;

  constructor(symbol: string) {
    this.#symbol = symbol;
  }

  path(): string {
    return this.#deeper(() => this.#path());
  }

  #path(): string {
    const tag = this.#take();
    switch (tag) {
      case "C":
        return this.#identifier().name;
      case "N": {
        const namespace = this.#take();
        const parent = this.path();
        const { name, index } = this.#identifier();
        if (/[a-z]/.test(namespace)) return `${parent}::${name}`;
        return `${parent}::{${SPECIAL_NAMES[namespace] ?? namespace}#${index}}`;
      }
      case "M":
        this.#implPath();
        return this.#type();
      case "X":
        this.#implPath();
        return `<${this.#type()} as ${this.path()}>`;
      case "Y":
        return `<${this.#type()} as ${this.path()}>`;
      case "I": {
        const path = this.path();
        this.#unprinted(() => this.#until("E", () => this.#genericArgument()));
        return path;
      }
      case "B":
        return this.#reference(() => this.path());
      default:
        throw new NoSymbol();
    }
  }

  #implPath(): void {
    this.#unprinted(() => {
      this.#disambiguator();
      this.path();
    });
  }

  #genericArgument(): void {
    if (this.#takeIf("L")) this.#base62();
    else if (this.#takeIf("K")) this.#constant();
    else this.#type();
  }

  #type(): string {
    return this.#deeper(() => this.#plainType());
  }

  #plainType(): string {
    const tag = this.#peek();
    const basic = BASIC_TYPES[tag];
    if (basic === undefined && /[CNMXYI]/.test(tag)) return this.path();
    this.#at += 1;
    if (basic !== undefined) return basic;
    switch (tag) {
      case "A": {
        const element = this.#type();
        this.#constant();
        return `[${element}; _]`;
      }
      case "S":
        return `[${this.#type()}]`;
      case "T": {
        const parts: string[] = [];
        this.#until("E", () => parts.push(this.#type()));
        return `(${parts.join(", ")})`;
      }
      case "R":
      case "Q":
        if (this.#takeIf("L")) this.#base62();
        return `${tag === "R" ? "&" : "&mut "}${this.#type()}`;
      case "P":
      case "O":
        return `${tag === "P" ? "*const " : "*mut "}${this.#type()}`;
      case "F":
        this.#unprinted(() => this.#signature());
        return "fn";
      case "D":
        return `dyn ${this.#bounds()}`;
      case "B":
        return this.#reference(() => this.#type());
      default:
        throw new NoSymbol();
    }
  }

  #signature(): void {
    this.#binder();
    this.#takeIf("U");
    if (this.#takeIf("K") && !this.#takeIf("C")) this.#name();
    this.#until("E", () => this.#type());
    this.#type();
  }

  #bounds(): string {
    const traits: string[] = [];
    this.#binder();
    this.#until("E", () => {
      traits.push(this.path());
      while (this.#takeIf("p")) {
        this.#name();
        this.#unprinted(() => this.#type());
      }
    });
    if (!this.#takeIf("L")) throw new NoSymbol();
    this.#base62();
    return traits.join(" + ");
  }

  /** Skips a number, truth value or character. Throws for structures: such a symbol stays mangled. */
  #constant(): void {
    if (this.#takeIf("p")) return;
    if (this.#takeIf("B")) {
      this.#base62();
      return;
    }
    if (BASIC_TYPES[this.#take()] === undefined) throw new NoSymbol();
    this.#takeIf("n");
    while (/[0-9a-f]/.test(this.#peek())) this.#at += 1;
    if (!this.#takeIf("_")) throw new NoSymbol();
  }

  #identifier(): { readonly name: string; readonly index: number } {
    const index = this.#disambiguator();
    return { name: this.#name(), index };
  }

  #name(): string {
    // A name beyond ASCII stays in its encoded form.
    this.#takeIf("u");
    const [digits = ""] = /^(?:0|[1-9][0-9]{0,3})/.exec(this.#symbol.slice(this.#at, this.#at + 4)) ?? [];
    if (digits === "") throw new NoSymbol();
    this.#at += digits.length;
    this.#takeIf("_");
    const name = this.#symbol.slice(this.#at, this.#at + Number(digits));
    if (name.length < Number(digits)) throw new NoSymbol();
    this.#at += name.length;
    return name;
  }

  #disambiguator(): number {
    return this.#takeIf("s") ? this.#base62() + 1 : 0;
  }

  #binder(): void {
    if (this.#takeIf("G")) this.#base62();
  }

  #base62(): number {
    if (this.#takeIf("_")) return 0;
    let value = 0;
    for (let digit = this.#take(); digit !== "_"; digit = this.#take()) {
      const index = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".indexOf(digit);
      if (index === -1) throw new NoSymbol();
      value = value * 62 + index;
    }
    return value + 1;
  }

  /** Follows a back reference: reads what is at an earlier place. */
  #reference(read: () => string): string {
    const start = this.#at - 1;
    const target = this.#base62();
    if (!this.#prints) return "";
    this.#references += 1;
    if (target >= start || this.#references > MAX_REFERENCES) throw new NoSymbol();
    const behind = this.#at;
    this.#at = target;
    const text = read();
    this.#at = behind;
    return text;
  }

  #unprinted(skip: () => void): void {
    const prints = this.#prints;
    this.#prints = false;
    skip();
    this.#prints = prints;
  }

  #until(end: string, read: () => void): void {
    while (!this.#takeIf(end)) read();
  }

  #deeper(read: () => string): string {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NoSymbol();
    const text = read();
    this.#depth -= 1;
    return this.#prints ? text : "";
  }

  #peek(): string {
    return this.#symbol[this.#at] ?? "";
  }

  #take(): string {
    const character = this.#symbol[this.#at];
    if (character === undefined) throw new NoSymbol();
    this.#at += 1;
    return character;
  }

  #takeIf(character: string): boolean {
    const is = this.#peek() === character;
    if (is) this.#at += 1;
    return is;
  }
}
