/**
 * Tells code from text in generated JavaScript: enough of ECMA-262's lexical grammar (12) to find where strings,
 * templates and comments begin and end. Regular expression literals are not recognised; the generator emits
 * none, and if it ever does, a quote in one ends in "unterminated", never in code that passes as text.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";

/** A stretch of source that is all code or all text (string, template characters or comment, quotes included). */
export interface SourceSpan {
  readonly kind: "code" | "text";
  readonly start: number;
  readonly end: number;
}

const TEXT_START = /\/\/|\/\*|['"`{}]/g;

/** Cuts source into spans, in order and without gaps. Throws `compile-failed` where a string or comment has no end. */
export function scanJavaScript(source: string): SourceSpan[] {
  return new Scanner(source).scan();
}

class Scanner {
  readonly #source: string;
  readonly #spans: SourceSpan[] = [];
  /** For every template that is open: how many braces are open inside its current substitution. */
  readonly #substitutions: number[] = [];
  #codeStart = 0;

  constructor(source: string) {
    this.#source = source;
  }

  scan(): SourceSpan[] {
    TEXT_START.lastIndex = 0;
    for (let match = TEXT_START.exec(this.#source); match !== null; match = TEXT_START.exec(this.#source)) {
      TEXT_START.lastIndex = this.#step(match[0], match.index);
    }
    this.#push("code", this.#source.length);
    if (this.#substitutions.length > 0) throw unterminated("template", this.#source.length);
    return this.#spans;
  }

  /** Handles what begins at `index`; the result is where to go on. */
  #step(token: string, index: number): number {
    switch (token) {
      case "{":
        this.#countBrace(1);
        return index + 1;
      case "}":
        if (this.#substitutions.at(-1) === 0) {
          this.#substitutions.pop();
          return this.#text(index, this.#templateEnd(index + 1));
        }
        this.#countBrace(-1);
        return index + 1;
      case "`":
        return this.#text(index, this.#templateEnd(index + 1));
      case "//":
        return this.#text(index, this.#lineEnd(index));
      case "/*":
        return this.#text(index, this.#find("*/", index + 2, "comment") + 2);
      default:
        return this.#text(index, this.#stringEnd(token, index + 1));
    }
  }

  #countBrace(change: 1 | -1): void {
    const open = this.#substitutions.pop();
    if (open !== undefined) this.#substitutions.push(open + change);
  }

  #text(start: number, end: number): number {
    this.#push("code", start);
    this.#push("text", end);
    return end;
  }

  #push(kind: SourceSpan["kind"], end: number): void {
    if (end > this.#codeStart) this.#spans.push({ kind, start: this.#codeStart, end });
    this.#codeStart = end;
  }

  #lineEnd(index: number): number {
    const end = this.#source.indexOf("\n", index);
    return end === -1 ? this.#source.length : end;
  }

  #find(text: string, from: number, what: string): number {
    const index = this.#source.indexOf(text, from);
    if (index === -1) throw unterminated(what, from);
    return index;
  }

  #stringEnd(quote: string, from: number): number {
    for (let index = from; index < this.#source.length; index += 1) {
      const character = this.#source[index];
      if (character === quote) return index + 1;
      if (character === "\\") index += 1;
      if (character === "\n") break;
    }
    throw unterminated("string", from);
  }

  /** Behind the closing backtick, or behind `${`, from where code goes on. */
  #templateEnd(from: number): number {
    for (let index = from; index < this.#source.length; index += 1) {
      const character = this.#source[index];
      if (character === "`") return index + 1;
      if (character === "\\") index += 1;
      if (character === "$" && this.#source[index + 1] === "{") {
        this.#substitutions.push(0);
        return index + 2;
      }
    }
    throw unterminated("template", from);
  }
}

function unterminated(what: string, index: number): HostError {
  return new HostError("compile-failed", `the generated code has a ${what} without an end at character ${index}`);
}
