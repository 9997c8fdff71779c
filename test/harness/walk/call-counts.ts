/**
 * Which functions of `src/` were called in this process, and how often: V8's own count, for a process that is told by a
 * signal to say it on standard error.
 *
 * @module
 */

import { Session } from "node:inspector";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Calls of each function that was called: `call.ts` of `consumer/` has the key `consumer/call.ts settle@1234`. */
export type CallCounts = Readonly<Record<string, number>>;

const SOURCES = new URL("../../../src/", import.meta.url).href;

/** Counts from now on. At each `SIGWINCH` what was counted since the last one is written as one line, behind the mark. */
export function countCalls(mark: string): void {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  // Counted for each function; a part of one (`detailed`) says nothing about files.
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  process.on("SIGWINCH", () => {
    session.post("Profiler.takePreciseCoverage", (error, taken) => {
      process.stderr.write(`${mark}${JSON.stringify(error === null ? countsOf(taken.result) : {})}\n`);
    });
  });
}

interface Script {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
  }[];
}

function countsOf(scripts: readonly Script[]): CallCounts {
  const counts: Record<string, number> = {};
  for (const { url, functions } of scripts) {
    if (!url.startsWith(SOURCES)) continue;
    for (const { functionName, ranges } of functions) {
      const [range] = ranges;
      if (range === undefined || range.count === 0) continue;
      counts[`${url.slice(SOURCES.length)} ${functionName}@${range.startOffset}`] = range.count;
    }
  }
  return counts;
}

/** Absolute path of a program beside this one. */
export function besidePath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
