/**
 * The HTTP exchanges of a scene: those that it expects, and those that the plugin had. Pure.
 *
 * @module
 */

import type { ScriptedExchange } from "../config/test-case.ts";
import type { HttpField } from "../contract/http.ts";

/** A request that the plugin sent; the host's own fields are not part of it. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly fields: readonly HttpField[];
  /** As far as it was sent. */
  readonly body: Uint8Array;
}

/** A request of the plugin, and the exchange that it was taken for, if there was one left. */
export interface HadExchange {
  readonly index: number | undefined;
  readonly sent: () => SentRequest;
}

/** The exchanges, in the order in which the plugin began them. */
export class SceneExchanges {
  readonly #scripted: { readonly exchange: ScriptedExchange; readonly url: string; had: number }[];
  readonly #had: HadExchange[] = [];

  constructor(exchanges: readonly ScriptedExchange[]) {
    this.#scripted = exchanges.map((exchange) => ({ exchange, url: plainUrl(exchange.request.url), had: 0 }));
  }

  /** The first exchange with this method and URL that has not taken place as often as it may. `sent` tells what was sent. */
  take(method: string, url: string, sent: () => SentRequest): ScriptedExchange | undefined {
    const index = this.#scripted.findIndex(
      (entry) =>
        entry.had < entry.exchange.times && entry.exchange.request.method === method && entry.url === plainUrl(url),
    );
    const entry = this.#scripted[index];
    this.#had.push({ index: entry === undefined ? undefined : index, sent });
    if (entry === undefined) return undefined;
    entry.had += 1;
    return entry.exchange;
  }

  get had(): readonly HadExchange[] {
    return this.#had;
  }

  /** Indexes of the exchanges that did not take place as often as they should have, with how often they did. */
  get missing(): readonly { readonly index: number; readonly had: number }[] {
    return this.#scripted.flatMap(({ exchange, had }, index) => (had < exchange.times ? [{ index, had }] : []));
  }
}

/** One spelling: as the URL parser writes it, without a fragment, which is never sent. */
function plainUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  parsed.hash = "";
  return parsed.href;
}
