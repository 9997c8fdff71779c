/**
 * Names that travel between the parts: branded, so that only a parsed value fits where one is asked for.
 *
 * @module
 */

declare const brand: unique symbol;

/** A string that was checked to be of a kind. */
export type Brand<Kind extends string> = string & { readonly [brand]: Kind };

/** A plugin's name: `[a-z0-9]+(-[a-z0-9]+)*`, at most 63 characters (one NATS subject token, one DNS label). */
export type PluginName = Brand<"PluginName">;

/** A lower-case hexadecimal SHA-256 digest, 64 characters. */
export type Digest = Brand<"Digest">;

/** A bucket's name: 1 to 128 of `[A-Za-z0-9._-]`. */
export type BucketName = Brand<"BucketName">;

const PLUGIN_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const BUCKET_NAME = /^[A-Za-z0-9._-]{1,128}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** At most this many characters in a plugin's name. */
export const PLUGIN_NAME_MAX_LENGTH = 63;

/**
 * Characters of a bucket's name that a runner passes on, at most: longer ones are never valid, and a guest's are refused
 * before they leave its process.
 */
export const MAX_BUCKET_CHARACTERS = 1_024;

/** The grammar of a plugin's name as a pattern for schemas and error messages. */
export const PLUGIN_NAME_PATTERN: string = PLUGIN_NAME.source;

/** The grammar of a bucket's name as a pattern for schemas and error messages. */
export const BUCKET_NAME_PATTERN: string = BUCKET_NAME.source;

export function isPluginName(text: string): text is PluginName {
  return text.length <= PLUGIN_NAME_MAX_LENGTH && PLUGIN_NAME.test(text);
}

/** The name that the words of a text make, such as those of a file's name; `plugin` if there are none or too many. */
export function pluginNameOf(text: string): PluginName {
  const name = (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
  return isPluginName(name) ? name : ("plugin" as PluginName);
}

export function isBucketName(text: string): text is BucketName {
  return BUCKET_NAME.test(text);
}

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}
