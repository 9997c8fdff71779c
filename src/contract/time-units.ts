/**
 * How many of a small unit of time are in a larger one.
 *
 * @module
 */

export const MS_PER_SECOND = 1_000;

export const MICROS_PER_MS = 1_000;

export const NS_PER_MS = 1_000_000;
