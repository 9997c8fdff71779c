/**
 * Shapes that both kinds of documents use.
 *
 * @module
 */

import { z } from "zod";
import {
  BUCKET_NAME_PATTERN,
  type BucketName,
  PLUGIN_NAME_MAX_LENGTH,
  PLUGIN_NAME_PATTERN,
  type PluginName,
} from "../contract/names.ts";

const PLUGIN_NAME_ADVICE = `write lower-case letters and digits, in words joined by single hyphens, at most ${PLUGIN_NAME_MAX_LENGTH} characters in all (a name of digits alone in quotes)`;
const BUCKET_NAME_ADVICE = "write a bucket's name: 1 to 128 of the characters a-z, A-Z, 0-9, '.', '_' and '-'";

/** A plugin's name. */
export function pluginNameSchema(description: string): z.ZodType<PluginName> {
  return z
    .string({ error: PLUGIN_NAME_ADVICE })
    .regex(new RegExp(PLUGIN_NAME_PATTERN), { error: PLUGIN_NAME_ADVICE, abort: true })
    .max(PLUGIN_NAME_MAX_LENGTH, { error: PLUGIN_NAME_ADVICE })
    .transform((name) => name as PluginName)
    .meta({ description });
}

/** A bucket's name, also as the key of a map. */
export const bucketNameSchema: z.ZodType<BucketName, string> = z
  .string({ error: BUCKET_NAME_ADVICE })
  .regex(new RegExp(BUCKET_NAME_PATTERN), { error: BUCKET_NAME_ADVICE })
  .transform((name) => name as BucketName);

/** Refuses a list that says the same thing twice: one of the two was meant to be something else. */
export function refuseRepetition<Item>(
  keyOf: (item: Item) => string,
  pathOf: (index: number) => PropertyKey[] = (index) => [index],
): (items: readonly Item[], context: z.RefinementCtx) => void {
  return (items, context) => {
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      const key = keyOf(item);
      if (seen.has(key))
        context.addIssue({ code: "custom", path: pathOf(index), message: "it is in the list twice; keep one" });
      seen.add(key);
    }
  };
}
