/**
 * Plugins that take one call at a time; who finds none waits for the next one that is free, in order.
 *
 * @module
 */

import type { SdkPlugin } from "./sdk.ts";

export class PluginPool {
  readonly #free: SdkPlugin[];
  readonly #waiting: ((plugin: SdkPlugin) => void)[] = [];

  private constructor(plugins: SdkPlugin[]) {
    this.#free = plugins;
  }

  static async open(create: () => Promise<SdkPlugin>, size: number): Promise<PluginPool> {
    return new PluginPool(await Promise.all(Array.from({ length: size }, create)));
  }

  async use<Result>(work: (plugin: SdkPlugin) => Promise<Result>): Promise<Result> {
    const plugin = this.#free.pop() ?? (await this.#next());
    try {
      return await work(plugin);
    } finally {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#free.push(plugin);
      else waiting(plugin);
    }
  }

  #next(): Promise<SdkPlugin> {
    const { promise, resolve } = Promise.withResolvers<SdkPlugin>();
    this.#waiting.push(resolve);
    return promise;
  }
}
