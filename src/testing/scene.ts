/**
 * What a plugin finds during one case, and what it did there: the state behind the scripted store and the scripted HTTP. One
 * scene at a time is on; its end leaves nothing to the next one.
 *
 * @module
 */

import type { SceneSetup } from "../config/test-case.ts";
import { SceneExchanges } from "./scene-exchanges.ts";
import { SceneKeys } from "./scene-keys.ts";

/** One case's surroundings. */
export class Scene {
  readonly keys: SceneKeys;
  readonly exchanges: SceneExchanges;
  readonly #ended = new AbortController();

  constructor(setup: SceneSetup) {
    this.keys = new SceneKeys(setup.keys, setup.faults);
    this.exchanges = new SceneExchanges(setup.exchanges);
  }

  /** Resolves after so many milliseconds: true, or false at once when the scene ends. */
  async pause(delayMs: number): Promise<boolean> {
    const { signal } = this.#ended;
    if (signal.aborted) return false;
    if (delayMs <= 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (): void => resolve(false);
    signal.addEventListener("abort", end, { once: true });
    const timer = setTimeout(() => resolve(true), delayMs);
    const isOver = await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    return isOver;
  }

  /** What was waiting is given up. */
  end(): void {
    this.#ended.abort();
  }
}

/** The scene that is on. */
export class Stage {
  #scene = new Scene({ keys: new Map(), faults: [], exchanges: [] });

  get scene(): Scene {
    return this.#scene;
  }

  /** Ends the scene that is on, and begins the next one. */
  play(setup: SceneSetup): Scene {
    this.#scene.end();
    this.#scene = new Scene(setup);
    return this.#scene;
  }
}
