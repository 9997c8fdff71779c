/**
 * How long a property may be tried: far longer than its runs take, since a property whose time is over before its first
 * run counts as one that failed. How much is tried is a number of runs, not a time.
 */
export const PROPERTY_TIME_MS = 30_000;
