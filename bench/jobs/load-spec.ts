/**
 * What a load generator is told, as its one argument in JSON, and what it tells, as one line of JSON on stdout. The
 * generator in Go (`load/`) and the one in Node (`load-node/`) are interchangeable.
 *
 * @module
 */

/** The requests and what their replies must be. */
export type JobSpec =
  /** Every payload is different, and its reply has the same bytes. */
  | { readonly kind: "echo"; readonly bytes: number }
  /**
   * The payload is `bucket \n key \n value`; the reply is the value that the key had. Every slot has keys of its own,
   * so that it knows which one that is.
   */
  | {
      readonly kind: "kv";
      readonly bytes: number;
      readonly bucket: string;
      readonly keys: number;
      /** The keys may not be there yet: status 404 is right, too. */
      readonly filling?: boolean;
      /** Every slot uses every key, so a reply may be any value that the key had, but a whole one. */
      readonly shared?: boolean;
    }
  /** The payload and the reply are always the same. */
  | { readonly kind: "fixed"; readonly payload: string; readonly reply: string }
  /**
   * The payload is a seed and a number of turns, both 32 bits, little-endian; the reply is what a linear congruential
   * generator (`plugins/compute.wat`) makes of the seed in so many turns.
   */
  | { readonly kind: "compute"; readonly turns: number };

/**
 * How requests are sent: in a closed loop, each of the slots sending its next request when it has its reply, or in an
 * open one, at a fixed rate.
 */
export interface LoopSpec {
  /** With `targets`, a `*` in it stands for a number below that: each request of a slot goes to the next. */
  readonly subject: string;
  readonly targets?: number;
  /** Slots: requests in flight. */
  readonly concurrency: number;
  /** Either this many requests in all, a multiple of `concurrency` … */
  readonly requests?: number;
  /**
   * … or as many as there are in this time, and at least one for each slot. The measured time runs from the last reply
   * of the warm-up to the last reply in time.
   */
  readonly warmUpMs?: number;
  readonly measureMs?: number;
  /**
   * With `measureMs`: a request is due every so often, whatever happened to the ones before it, and its latency runs from
   * when it was due; a wrong reply counts as one that took as long as anybody waits. Slots are then those that may be in flight; one more fails the run.
   */
  readonly ratePerSecond?: number;
}

/** One run of a generator. */
export interface LoadSpec {
  readonly server: string;
  readonly loop: LoopSpec;
  readonly job: JobSpec;
}

/** Latency from publishing a request (at a fixed rate: from when it was due) to its reply, by quantile. */
export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What a run showed. */
export interface LoadFigures {
  /** Replies that came in the measured time, without the warm-up. */
  readonly requests: number;
  readonly seconds: number;
  /** All requests, those of the warm-up too, with the generator's time and CPU time. */
  readonly totalRequests: number;
  readonly totalSeconds: number;
  readonly cpuSeconds: number;
  readonly latencyMs: Latencies;
  /** With `ratePerSecond`: how late requests were sent (p99). That much of the latency is the generator's own. */
  readonly sendLagP99Ms?: number;
  /** Replies that were wrong. */
  readonly errors: number;
  readonly firstError?: string;
}
