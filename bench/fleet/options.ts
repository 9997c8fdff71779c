/**
 * The command line of the fleet's benchmark.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BenchError } from "../bench-error.ts";

export interface FleetOptions {
  /** Sizes of the fleet, one replica each. */
  readonly sizes: readonly number[];
  /** Components that the plugins take turns with: each has to be compiled once. */
  readonly components: number;
  readonly hostPath: string | undefined;
}

export const FLEET_USAGE = `node bench/fleet/main.ts [--plugins 1,100,10000] [--components 20] [--host dist/main.js]

Starts a replica of so many plugins with a warm cache and prints when it is ready after Node's own start, what the
host holds, how long a plugin's first request takes, and what an idle fleet costs. Takes a minute or two.`;

/** `undefined` where help is asked for. Throws {@link BenchError}. */
export function parseFleetOptions(args: readonly string[]): FleetOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      plugins: { type: "string", default: "1,100,10000" },
      components: { type: "string", default: "20" },
      host: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    sizes: values.plugins.split(",").map((size) => count(size, "--plugins")),
    components: count(values.components, "--components"),
    hostPath: values.host,
  };
}

function count(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new BenchError(`${flag}: ${text} is not a number of at least 1`);
  return value;
}
