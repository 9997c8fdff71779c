/**
 * `console`, whose lines go to the host's log with their level.
 *
 * While the component is made there is no log. What a module says then is kept, and said when the host asks for its
 * access levels: the build prints it, and no request pays for it.
 *
 * @module
 */

import { log, type LogLevel } from "local:network-host/logging@1.0.0";
import { show } from "./describe.ts";
import { isServing } from "./phase.ts";

const MAX_KEPT = 100;
const INDENT = "  ";

const kept: { readonly level: LogLevel; readonly line: string }[] = [];
const counts = new Map<string, number>();
const timers = new Map<string, number>();
let depth = 0;

function write(level: LogLevel, values: readonly unknown[]): void {
  const line = INDENT.repeat(depth) + formatted(values);
  if (isServing()) log(level, line);
  else if (kept.length < MAX_KEPT) kept.push({ level, line });
}

/** Says what was said while the component was made. */
export function sayKept(): void {
  for (const { level, line } of kept.splice(0)) log(level, line);
}

const writer =
  (level: LogLevel) =>
  (...values: unknown[]): void =>
    write(level, values);

/** The functions of `console` that write text. */
export const guestConsole = {
  debug: writer("info"),
  log: writer("info"),
  info: writer("info"),
  warn: writer("warning"),
  error: writer("error"),
  dir: (value: unknown): void => write("info", [value]),
  trace: (...values: unknown[]): void => write("info", [...values, new Error("trace")]),
  assert(condition: unknown, ...values: unknown[]): void {
    if (!condition) write("error", ["Assertion failed", ...values]);
  },
  count(label = "default"): void {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    write("info", [`${label}: ${counts.get(label)}`]);
  },
  time(label = "default"): void {
    timers.set(label, performance.now());
  },
  timeEnd(label = "default"): void {
    const began = timers.get(label);
    if (began !== undefined) write("info", [`${label}: ${(performance.now() - began).toFixed(3)} ms`]);
    timers.delete(label);
  },
  group(...values: unknown[]): void {
    if (values.length > 0) write("info", values);
    depth += 1;
  },
  groupEnd(): void {
    depth = Math.max(0, depth - 1);
  },
};

/** Values side by side; a first text may hold `%s`, `%d`, `%i`, `%f`, `%j`, `%o`, `%O` for those after it. */
function formatted([first, ...rest]: readonly unknown[]): string {
  if (typeof first !== "string")
    return first === undefined && rest.length === 0 ? "" : [first, ...rest].map(show).join(" ");
  const text = first.replace(/%([sdifjoO%])/g, (whole, kind: string) => {
    if (kind === "%") return "%";
    if (rest.length === 0) return whole;
    const value = rest.shift();
    if (kind === "d" || kind === "f") return String(Number(value));
    return kind === "i" ? String(Math.trunc(Number(value))) : show(value);
  });
  return [text, ...rest.map(show)].join(" ");
}
