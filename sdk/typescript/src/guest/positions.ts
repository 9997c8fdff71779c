/**
 * Places in the bundle → places in the author's files, for what is logged of an error.
 *
 * The table is the bundle's source map, which the build puts in the place of {@link PLACEHOLDER}. It is read at the first
 * error of a request and costs nothing before.
 *
 * @module
 */

/** What stands in the bundle until its own source map is known. */
const PLACEHOLDER = "@@network-plugin:positions@@";

/** The part of a source map that positions need. Sources that are not the author's have no name. */
interface Positions {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** How the engines name the bundle in a stack. */
const FRAME = /(?:componentize-qjs:user\.js|network-plugin\.js):(\d+)(?::(\d+))?/;

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CONTINUES = 32;

/** Generated column, source, line and column within it: all from 0. */
type Segment = readonly [number, number, number, number];

let lines: Segment[][] | undefined;
let positions: Positions | undefined;

/** The function's name, as QuickJS (`at name (…)`) and StarlingMonkey (`name@…`) write it. */
const NAME = /^\s*(?:at (\S+) \(|([^\s@]+)@)/;

/** The frames of a stack that are the author's, each with its file, line and column. */
export function authorFrames(stack: string): string[] {
  return stack.split("\n").flatMap((frame) => {
    const [, line, column = "1"] = FRAME.exec(frame) ?? [];
    const found = line === undefined ? undefined : find(Number(line), Number(column));
    if (found === undefined) return [];
    const [, quickjs, starling] = NAME.exec(frame) ?? [];
    const name = quickjs ?? starling ?? "<anonymous>";
    return [`at ${name} (${found})`];
  });
}

function find(line: number, column: number): string | undefined {
  positions ??= parse(PLACEHOLDER);
  lines ??= decode(positions.mappings);
  const segment = lines[line - 1]?.findLast(([from]) => from <= column - 1);
  const source = segment && positions.sources[segment[1]];
  return source ? `${source}:${segment[2] + 1}:${segment[3] + 1}` : undefined;
}

function parse(text: string): Positions {
  return text.startsWith("{") ? (JSON.parse(text) as Positions) : { sources: [], mappings: "" };
}

/** The standard's encoding: base64 VLQ, each number relative to its last value (https://tc39.es/ecma426/). */
function decode(mappings: string): Segment[][] {
  let source = 0;
  let line = 0;
  let column = 0;
  return mappings.split(";").map((text) => {
    let generated = 0;
    return text.split(",").flatMap((part): Segment[] => {
      const [generatedBy = 0, sourceBy, lineBy = 0, columnBy = 0] = numbers(part);
      generated += generatedBy;
      if (sourceBy === undefined) return [];
      source += sourceBy;
      line += lineBy;
      column += columnBy;
      return [[generated, source, line, column]];
    });
  });
}

function numbers(part: string): number[] {
  const found: number[] = [];
  let value = 0;
  let shift = 0;
  for (const letter of part) {
    const digit = BASE64.indexOf(letter);
    value += (digit & (CONTINUES - 1)) << shift;
    shift += 5;
    if (digit & CONTINUES) continue;
    found.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return found;
}
