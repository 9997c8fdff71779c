/**
 * `wrpc.nats` of a consumer file: under which prefix the replicas of a group serve which plugins over wRPC.
 *
 * @module
 */

import { z } from "zod";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { PREFIX_MAX_LENGTH, PREFIX_PATTERN } from "../contract/wrpc-prefix.ts";
import { pluginNameSchema, refuseRepetition } from "./field-schemas.ts";

const PREFIX_ADVICE = `write tokens of letters, digits, '_' and '-', joined by dots, at most ${PREFIX_MAX_LENGTH} characters; the first token is neither rpc nor begins with '_'`;
const PLUGINS_ADVICE = "write a list of one or more names of the group's plugins";

/** The shape of `wrpc.nats`. */
export const wrpcNatsSchema = z
  .strictObject(
    {
      prefix: z
        .string({ error: PREFIX_ADVICE })
        .max(PREFIX_MAX_LENGTH, { error: PREFIX_ADVICE })
        .regex(new RegExp(PREFIX_PATTERN), { error: PREFIX_ADVICE })
        .meta({
          description: "Callers' prefix, to which they add a dot and the plugin's name. Outside rpc.> and inboxes.",
          examples: ["wrpc"],
        }),
      plugins: z
        .array(pluginNameSchema("A plugin of the group."), { error: PLUGINS_ADVICE })
        .min(1, { error: PLUGINS_ADVICE })
        .max(FIXED_LIMITS.consumerPlugins, { error: PLUGINS_ADVICE })
        .superRefine(refuseRepetition((name) => name))
        .meta({ description: "The plugins that are served over wRPC, too; no other is." }),
    },
    { error: "write `prefix:` and `plugins:`" },
  )
  .meta({ description: "Calls over NATS. A change takes a restart." });
