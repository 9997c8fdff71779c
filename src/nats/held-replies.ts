/**
 * Replies that wait for the connection, bounded in bytes. When they take too much, the plugin that holds the most bytes
 * loses its oldest reply, so a plugin that answers with megabytes takes nothing from the others. This class only
 * decides which replies to give up; its caller does so.
 *
 * @module
 */

/** A reply that waits. */
export interface Held {
  readonly plugin: string;
  /** Its size. */
  readonly bytes: number;
  /** Its caller waits until this time of `performance.now()`. */
  readonly untilMs: number;
}

/** What a held reply costs besides its bytes. */
const OVERHEAD_BYTES = 512;

interface PluginReplies<Reply> {
  /** In the order in which they came. */
  readonly replies: Set<Reply>;
  bytes: number;
}

export class HeldReplies<Reply extends Held> {
  readonly #maxBytes: number;
  readonly #byPlugin = new Map<string, PluginReplies<Reply>>();
  #bytes = 0;
  #count = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Keeps a reply. Returns the replies, perhaps including this one, for which there is no room any more. */
  add(reply: Reply): readonly Reply[] {
    let ofPlugin = this.#byPlugin.get(reply.plugin);
    if (ofPlugin === undefined) this.#byPlugin.set(reply.plugin, (ofPlugin = { replies: new Set(), bytes: 0 }));
    ofPlugin.replies.add(reply);
    this.#account(ofPlugin, reply, 1);
    const evicted: Reply[] = [];
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#largest();
      if (oldest === undefined) break;
      this.#remove(oldest);
      evicted.push(oldest);
    }
    return evicted;
  }

  /** Removes and returns the replies whose callers no longer wait. */
  takeExpired(nowMs: number): readonly Reply[] {
    const expired = [...this.#all()].filter(({ untilMs }) => untilMs <= nowMs);
    for (const reply of expired) this.#remove(reply);
    return expired;
  }

  /** Removes and returns all replies; those of each plugin in the order in which they came. */
  takeAll(): readonly Reply[] {
    const all = [...this.#all()];
    this.#byPlugin.clear();
    this.#bytes = 0;
    this.#count = 0;
    return all;
  }

  *#all(): Generator<Reply> {
    for (const { replies } of this.#byPlugin.values()) yield* replies;
  }

  /** The oldest reply of the plugin that holds the most bytes. */
  #largest(): Reply | undefined {
    let largest: PluginReplies<Reply> | undefined;
    for (const ofPlugin of this.#byPlugin.values()) {
      if (largest === undefined || ofPlugin.bytes > largest.bytes) largest = ofPlugin;
    }
    return largest?.replies.values().next().value;
  }

  #remove(reply: Reply): void {
    const ofPlugin = this.#byPlugin.get(reply.plugin);
    if (ofPlugin?.replies.delete(reply) !== true) return;
    this.#account(ofPlugin, reply, -1);
    if (ofPlugin.replies.size === 0) this.#byPlugin.delete(reply.plugin);
  }

  #account(ofPlugin: PluginReplies<Reply>, { bytes }: Reply, sign: 1 | -1): void {
    const change = sign * (bytes + OVERHEAD_BYTES);
    ofPlugin.bytes += change;
    this.#bytes += change;
    this.#count += sign;
  }
}
