/**
 * What a replica says of its files: what is wrong with them, what of them stays in force meanwhile, and when that is
 * over. Each thing is said once, however often the files are read.
 *
 * @module
 */

import { KEEPS_LAST, type ReplicaConfig } from "./app-config.ts";
import { configError, formatDiagnostic } from "./config/diagnostic.ts";
import type { PluginName } from "./contract/names.ts";
import type { Logger } from "./telemetry/logger.ts";

/** In one line. */
const NAMED_PLUGINS = 64;

export class ConfigLog {
  readonly #logger: Logger;
  #warned: ReadonlySet<string> = new Set();
  #problems = "";

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The files were read. */
  read({ warnings, problems, kept, denied }: ReplicaConfig): void {
    for (const warning of warnings) if (!this.#warned.has(warning)) this.#logger.warn(warning);
    this.#warned = new Set(warnings);
    const before = this.#problems;
    this.#problems = problems.map(formatDiagnostic).join("\n");
    if (this.#problems === before) return;
    if (problems.length === 0) this.#logger.info("the configuration is valid again and in force");
    else {
      const plugins = { keepPolicy: someOf(kept), allowedNothing: someOf(denied) };
      this.#logger.error({ err: configError(problems), ...plugins }, `the configuration is invalid: ${KEEPS_LAST}`);
    }
  }
}

function someOf(names: readonly PluginName[]): readonly string[] {
  const some: string[] = names.slice(0, NAMED_PLUGINS);
  return names.length > NAMED_PLUGINS ? [...some, `and ${names.length - NAMED_PLUGINS} more`] : some;
}
