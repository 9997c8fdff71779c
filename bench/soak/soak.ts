/**
 * Is memory flat over many requests? The slope of a straight line through the samples tells, without those of the first
 * quarter, in which compilers, caches and pools settle. Pure.
 *
 * @module
 */

import { median } from "../figures/statistics.ts";

/** What every soak looks at. */
export const SAMPLES = 20;
/** Requests in flight. */
export const SOAK_CONCURRENCY = 64;
/** Each sample follows requests of both jobs, and every slot has as many as the others. */
export const MIN_SOAK_REQUESTS = SAMPLES * 2 * SOAK_CONCURRENCY;

/**
 * A line may rise by so much: less than an object of JavaScript and a reference to it take, and more than the noise of a
 * million requests.
 */
export const FLAT_BYTES_PER_REQUEST = 32;

/** Memory in the stretch of a run that ends after so many requests. */
export interface SoakSample {
  readonly requests: number;
  /** Since the first request. */
  readonly seconds: number;
  /** Resident memory by role, at its lowest and at its highest: garbage comes and goes in between. */
  readonly rssBytes: Readonly<Record<string, MemoryRange>>;
  /** Processes of the plugins: others than before have another memory. */
  readonly runners: readonly number[];
}

/** Bytes. */
export interface MemoryRange {
  readonly low: number;
  readonly high: number;
}

/** What happened to one role's memory, at its lowest. */
export interface SoakVerdict {
  readonly role: string;
  /** Of the last three quarters of the samples. */
  readonly bytesPerRequest: number;
  /** Medians of the second quarter and of the last. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly isFlat: boolean;
}

/** The slope of the straight line through points that has the least squares. Throws for less than two places. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const spreadX = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (!(spreadX > 0)) throw new RangeError("a slope needs two places");
  return points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
}

/** Judges the memory of the roles named. Throws for less than four samples. */
export function judgeSoak(samples: readonly SoakSample[], roles: readonly string[]): SoakVerdict[] {
  const quarter = Math.floor(samples.length / 4);
  return roles.map((role) => {
    const points = samples.map(({ requests, rssBytes }) => ({ x: requests, y: rssBytes[role]?.low ?? 0 }));
    const bytesOf = (from: number, to: number): number => median(points.slice(from, to).map(({ y }) => y));
    const bytesPerRequest = slopeOf(points.slice(quarter));
    return {
      role,
      bytesPerRequest,
      earlyBytes: bytesOf(quarter, 2 * quarter),
      lateBytes: bytesOf(samples.length - quarter, samples.length),
      isFlat: bytesPerRequest <= FLAT_BYTES_PER_REQUEST,
    };
  });
}

/** The range of several looks, by role. */
export function rangesOf(looks: readonly Readonly<Record<string, number>>[]): Record<string, MemoryRange> {
  const roles = [...new Set(looks.flatMap((look) => Object.keys(look)))];
  return Object.fromEntries(
    roles.map((role) => {
      const values = looks.flatMap((look) => look[role] ?? []);
      return [role, { low: Math.min(...values), high: Math.max(...values) }];
    }),
  );
}

/** Requests of each of two jobs before each sample: as many as each slot can have alike, at least one. */
export function requestsPerSample(total: number): number {
  return Math.max(1, Math.round(total / SAMPLES / 2 / SOAK_CONCURRENCY)) * SOAK_CONCURRENCY;
}

/** Parts of so many requests, each a multiple of the slots. */
export function partsOf(requests: number): number[] {
  const parts: number[] = [];
  for (let left = requests; left > 0; left -= MAX_PART) parts.push(Math.min(left, MAX_PART));
  return parts;
}

/** Memory is looked at between parts: some looks of each stretch are soon after a collection of garbage. */
const MAX_PART = 50 * SOAK_CONCURRENCY;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
