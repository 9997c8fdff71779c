/**
 * What a replica logs about its files: what is wrong with them, what stays in force meanwhile, and when they are valid
 * again. It logs each fact once, however often it reads the files.
 *
 * @module
 */

import { KEEPS_LAST, type ReplicaConfig } from "./app-config.ts";
import { configError, formatDiagnostic } from "./config/diagnostic.ts";
import type { PluginName } from "./contract/names.ts";
import type { Logger } from "./telemetry/logger.ts";

/** The most plugins that one line names. */
const NAMED_PLUGINS = 64;

/** Logs the results of reading the files. */
export class ConfigLog {
  readonly #logger: Logger;
  #warned: ReadonlySet<string> = new Set();
  #problems = "";

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Logs what is new in the result of a reading. */
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
