import { setTimeout as delay } from "node:timers/promises";

/** What is waited for, and how long at most. */
export interface UntilOptions {
  /** Completes the sentence "… did not come true". */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Waits until a condition holds, for conditions that nothing announces. A throw of the condition ends the wait.
 */
export async function until(condition: () => Promise<boolean> | boolean, options: UntilOptions): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const start = performance.now();
  while (!(await condition())) {
    options.signal?.throwIfAborted();
    if (performance.now() - start > timeoutMs)
      throw new Error(`within ${timeoutMs} ms "${options.what}" did not come true`);
    await delay(options.intervalMs ?? 25);
  }
}
