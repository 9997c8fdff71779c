/**
 * What docs/performance.md says in short, from the figures that its tables show. Pure.
 *
 * @module
 */

import { NODE_NAME } from "../contenders/hand-written.ts";
import { WASMTIME_NAME } from "../contenders/wasmtime.ts";
import { digits } from "../figures/report-text.ts";
import type { JobName } from "../jobs/jobs.ts";
import type { Figures, PublishedRatio } from "../published/figures.ts";
import { listed, ranged } from "./figure-text.ts";
import { PUBLISHED_HOST } from "./published-host.ts";

const LONE = 1;

/** A list in Markdown. Throws a `RangeError` where what it tells of was not published. */
export function headlineText({ basic, hosts }: Figures): string {
  const ratiosOf = (run: Figures["basic"], job: JobName, contender: string): PublishedRatio[] =>
    known(
      `${contender} at ${job}`,
      run.ratios
        .filter((ratio) => ratio.job === job && ratio.contender === contender && ratio.against === NODE_NAME)
        .toSorted((a, b) => a.concurrency - b.concurrency),
    );
  const busy = (ratios: readonly PublishedRatio[]) => ratios.filter(({ concurrency }) => concurrency > LONE);
  const lone = (job: JobName): string => {
    const ratio = ratiosOf(basic, job, PUBLISHED_HOST).find(({ concurrency }) => concurrency === LONE);
    return known(`a lone ${job}`, medians(ratio === undefined ? [] : [ratio], "p50"))
      .map(digits)
      .join();
  };
  const kv = busy(ratiosOf(basic, "kv", PUBLISHED_HOST));
  const echo = busy(ratiosOf(basic, "echo", PUBLISHED_HOST));
  const throughputs = (run: Figures["basic"], job: JobName, contender: string) =>
    ranged(medians(busy(ratiosOf(run, job, contender)), "requestsPerSecond"), digits);
  const inOrder = (figure: RatioFigure): string => listed(medians(kv, figure).map(digits));
  return [
    `- **Key-value requests** are answered ${inOrder("requestsPerSecond")} times as often as by the hand-written Node responder, \
at ${listed(kv.map(({ concurrency }) => String(concurrency)))} in flight. Their p99 is ${inOrder("p99")} of that responder's, their CPU time \
${inOrder("cpu")}. Operations of many requests go to MongoDB together. A small host in Rust on Wasmtime reaches \
${throughputs(hosts, "kv", WASMTIME_NAME)} times the throughput of the Node responder.`,
    `- **Echo**, where the way itself is all the work, has ${ranged(medians(echo, "requestsPerSecond"), digits)} of the hand-written responder's \
throughput; the Wasmtime host has ${throughputs(hosts, "echo", WASMTIME_NAME)}. [Why](where-the-time-goes.md).`,
    `- A **lone request** takes ${lone("kv")} (key-value) and ${lone("echo")} (echo) times as long.`,
  ].join("\n");
}

type RatioFigure = "requestsPerSecond" | "p50" | "p99" | "cpu";

function medians(ratios: readonly PublishedRatio[], figure: RatioFigure): number[] {
  return ratios.flatMap((ratio) => ratio[figure]?.median ?? []);
}

function known<Of>(what: string, values: Of[]): Of[] {
  if (values.length === 0) throw new RangeError(`bench/published/figures.json has no figures of ${what}`);
  return values;
}
