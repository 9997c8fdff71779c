/**
 * Values of the benchmark's command line, as text. Each parser is one for commander's options and refuses what cannot be
 * used with a message that says what to write.
 *
 * @module
 */

import { InvalidArgumentError } from "commander";

/** Parses the text of an option's value. Throws commander's `InvalidArgumentError`. */
export type ParseValue<Value> = (text: string) => Value;

/** One of several names. */
export function oneOf<Name extends string>(names: readonly Name[]): ParseValue<Name> {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`Write one of ${names.join(", ")}.`);
    return found;
  };
}

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): ParseValue<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  };
}

/** Several values with commas between them, each once. */
export function listOf<Value>(parse: ParseValue<Value>): ParseValue<readonly Value[]> {
  return (text) => [...new Set(text.split(",").map((part) => parse(part.trim())))];
}
