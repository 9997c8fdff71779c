/**
 * The contract's `logging`: passes a plugin's lines to the host, which adds the plugin's name and the request's id.
 *
 * @module
 */

import { LOG_LEVELS } from "../../contract/request.ts";
import type { GuestContext } from "../../runner/guest/guest-context.ts";
import { expectString } from "../../runner/guest/guest-values.ts";
import { type Namespace, namespace } from "../../runner/guest/namespaces.ts";
import { createTrap } from "../../runner/guest/trap.ts";
import type { GuestSide } from "../guest-side.ts";
import { LOGGING } from "./definition.ts";

function createLogging(context: GuestContext): Namespace {
  return namespace({
    log(level: unknown, message: unknown): void {
      const known = LOG_LEVELS.find((name) => name === level);
      if (known === undefined) throw createTrap("an argument is not a log level");
      context.log.log(known, expectString(message));
    },
  });
}

export const LOGGING_GUEST: GuestSide = {
  capability: LOGGING.name,
  interfaces: { "local:network-host/logging": createLogging },
};
