/**
 * Waits for a result, but not for longer than some time.
 *
 * @module
 */

/** What the promise becomes, or `undefined` when the time is over; what comes of it later is ignored. */
export async function resultWithin<Result>(timeoutMs: number, promise: Promise<Result>): Promise<Result | undefined> {
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => over.resolve(undefined), timeoutMs);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
