/**
 * The curves: what grows from point to point, by which jobs it is measured, and what a request may cost then.
 *
 * @module
 */

import type { JobName } from "../jobs/jobs.ts";

export const CURVE_NAMES = ["concurrency", "payload", "plugins", "memory", "replicas"] as const;

export type CurveName = (typeof CURVE_NAMES)[number];

/** What costs follow where there is no cliff: nothing at all, or a straight line over what grows. */
export type Expectation = "constant" | "linear";

/** One curve. */
export interface Curve {
  readonly name: CurveName;
  /** One line for the report. */
  readonly summary: string;
  /** What grows, and its unit in tables and charts. */
  readonly axis: string;
  /** How many of what grows are one unit of the axis. */
  readonly unit: number;
  readonly points: readonly number[];
  /** A line for each. */
  readonly jobs: readonly JobName[];
  /** Requests in flight at a point. */
  readonly inFlight: (x: number) => number;
  /** Of a request's time and CPU time. */
  readonly expectation: Expectation;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const CURVES: Readonly<Record<CurveName, Curve>> = {
  concurrency: {
    name: "concurrency",
    summary: "requests in flight",
    axis: "requests in flight",
    unit: 1,
    points: [1, 4, 16, 64, 256, 512],
    jobs: ["echo", "kv"],
    inFlight: (x) => x,
    expectation: "constant",
  },
  payload: {
    name: "payload",
    summary: "bytes of a request, which come back as its reply",
    axis: "payload, KiB",
    unit: KIB,
    // A megabyte: with its headers, a mebibyte is more than a NATS server takes by default.
    points: [0, 64, KIB, 16 * KIB, 64 * KIB, 256 * KIB, 1_000_000],
    jobs: ["echo"],
    inFlight: () => 16,
    expectation: "linear",
  },
  plugins: {
    name: "plugins",
    summary: "plugins that are registered on the replica, of which one is sent requests",
    axis: "registered plugins",
    unit: 1,
    points: [1, 10, 100, 1_000, 10_000],
    jobs: ["echo"],
    inFlight: () => 16,
    expectation: "constant",
  },
  memory: {
    name: "memory",
    summary: "linear memory of an instance, all of it in use and 16 of its pages changed by each request",
    axis: "memory of an instance, MiB",
    unit: MIB,
    points: [64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB],
    jobs: ["echo"],
    // So many of the largest fit into a runner.
    inFlight: () => 4,
    expectation: "linear",
  },
  replicas: {
    name: "replicas",
    summary: "replicas of one group, 64 requests in flight for each",
    axis: "replicas",
    unit: 1,
    points: [1, 2, 3, 4],
    jobs: ["echo", "kv"],
    // Each has as much to do as a single one: what is done together for many requests depends on that.
    inFlight: (x) => 64 * x,
    expectation: "constant",
  },
};
