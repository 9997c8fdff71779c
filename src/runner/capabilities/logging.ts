/**
 * The contract's `logging`: a line of the plugin on its way to the host, which adds plugin and request id.
 *
 * @module
 */

import { LOG_LEVELS } from "../../contract/request.ts";
import type { GuestContext } from "../guest-context.ts";
import { expectString } from "../guest-values.ts";
import { type Namespace, namespace } from "../namespaces.ts";
import { createTrap } from "../trap.ts";

export function createLogging(context: GuestContext): Namespace {
  return namespace({
    log(level: unknown, message: unknown): void {
      const known = LOG_LEVELS.find((name) => name === level);
      if (known === undefined) throw createTrap("an argument is not a log level");
      context.log.log(known, expectString(message));
    },
  });
}
