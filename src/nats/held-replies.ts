/**
 * Replies that wait for the connection, bounded in bytes. Where there is no more room, the plugin that holds most of it
 * loses its oldest reply: one that answers with megabytes takes nothing from its neighbours. Decides what goes; whoever
 * uses it gives up what it is told to.
 *
 * @module
 */

/** A reply that waits. */
export interface Held {
  readonly plugin: string;
  /** What it takes. */
  readonly bytes: number;
  /** Nobody waits for it after this time of `performance.now()`. */
  readonly untilMs: number;
}

/** What keeping a reply costs besides its bytes. */
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

  /** Keeps a reply; answers with those that there is no room for any more, which may be this one. */
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

  /** Removes those that nobody waits for any more. */
  takeExpired(nowMs: number): readonly Reply[] {
    const expired = [...this.#all()].filter(({ untilMs }) => untilMs <= nowMs);
    for (const reply of expired) this.#remove(reply);
    return expired;
  }

  /** Removes them all; those of each plugin are in the order in which they came. */
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

  /** The oldest reply of the plugin that holds most. */
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
