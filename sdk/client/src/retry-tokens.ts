/**
 * Bounds how much of a client's traffic are retries, for each plugin: a plugin that refuses everything must not get many times
 * the requests for it.
 *
 * @module
 */

/** Retries that may follow each other without any answer. */
const MAX_TOKENS = 100;
/** What each answer gives back: one retry for ten answers. */
const TOKENS_OF_AN_ANSWER = 0.1;
/** Plugins that are remembered. */
const MAX_PLUGINS = 1_000;

/** Tokens by plugin; one that is not here has all of them. */
export class RetryTokens {
  readonly #left = new Map<string, number>();

  /** May there be one more retry? Then it is counted. */
  take(plugin: string): boolean {
    const left = this.#left.get(plugin) ?? MAX_TOKENS;
    if (left < 1) return false;
    this.#left.set(plugin, left - 1);
    if (this.#left.size > MAX_PLUGINS) this.#forgetOldest();
    return true;
  }

  /** The plugin has answered. */
  giveBack(plugin: string): void {
    const left = this.#left.get(plugin);
    if (left === undefined) return;
    if (left + TOKENS_OF_AN_ANSWER >= MAX_TOKENS) this.#left.delete(plugin);
    else this.#left.set(plugin, left + TOKENS_OF_AN_ANSWER);
  }

  #forgetOldest(): void {
    const [oldest] = this.#left.keys();
    if (oldest !== undefined) this.#left.delete(oldest);
  }
}
