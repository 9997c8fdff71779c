/**
 * Counts about wRPC connections. Every connection ends with one outcome; what happens to a request is counted with its
 * plugin's other requests.
 *
 * @module
 */

/** How a wRPC connection ended. */
export type WrpcOutcome =
  /** The caller got a result: the plugin's, or an error in its place. */
  | "answered"
  /** There were too many connections. */
  | "too-many"
  /** The system could not hand it over, and has closed it. Without a descriptor, Node closes it and says nothing. */
  | "accept-failed"
  /** Its TLS handshake failed: for example, it had no certificate of a trusted authority. */
  | "tls-refused"
  /** The caller sent nothing. */
  | "silent"
  /** The caller ended it in the middle of the parameters. */
  | "incomplete"
  /** The parameters did not arrive in time. */
  | "slow"
  /** The bytes are not a call. */
  | "malformed"
  /** The call is of another function than the handler's. */
  | "unknown-function"
  /** Nothing can be answered: `get-access-levels` has no place for an error. */
  | "unanswerable"
  /** The caller closed it before it had the result. */
  | "caller-gone"
  /** The caller did not read the result in time. */
  | "reply-unread"
  /** Too many results waited for their callers. */
  | "reply-no-room"
  /** The replica stopped, or no longer listens for this plugin. */
  | "stopped";

/** The connections of one plugin. */
export class WrpcPluginStats {
  readonly plugin: string;
  readonly #ended = new Map<WrpcOutcome, number>();
  /** Connections that are open. */
  open = 0;
  /** Memory for parameters that have arrived in part. */
  parameterBytes = 0;
  /** Bytes of results that their callers have not taken. */
  replyBytes = 0;

  constructor(plugin: string) {
    this.plugin = plugin;
  }

  /** Connections that have ended, by outcome: those that occurred. */
  get ended(): ReadonlyMap<WrpcOutcome, number> {
    return this.#ended;
  }

  end(outcome: WrpcOutcome): void {
    this.#ended.set(outcome, (this.#ended.get(outcome) ?? 0) + 1);
  }
}

/** The wRPC connections of a replica. */
export class WrpcStats {
  readonly #byPlugin = new Map<string, WrpcPluginStats>();
  /** Connections that are open, of all plugins. */
  open = 0;
  /** Memory for parameters that have arrived in part. */
  parameterBytes = 0;
  /** Bytes of results that their callers have not taken. */
  replyBytes = 0;

  get plugins(): Iterable<WrpcPluginStats> {
    return this.#byPlugin.values();
  }

  /** The counts of a plugin, which outlive its listeners. */
  of(plugin: string): WrpcPluginStats {
    const known = this.#byPlugin.get(plugin);
    if (known !== undefined) return known;
    const stats = new WrpcPluginStats(plugin);
    this.#byPlugin.set(plugin, stats);
    return stats;
  }
}
